import type { Context } from '#src/context';

/**
 * zxcvbn blocks the process, for a second with 100 characters that are made for it. So only the
 * first characters of a password are scored: 30 ms in the worst case.
 */
const SCORED_CHARACTERS = 32;

/**
 * True if zxcvbn gives a password less than PASSWORD_MIN_SCORE, from 0 (guessed at once) to 4.
 * Names of its owner make it no better.
 */
export async function isGuessable(
  { settings, dictionaries }: Pick<Context, 'settings' | 'dictionaries'>,
  password: string,
  names: string[],
): Promise<boolean> {
  if (settings.passwordMinScore === 0) return false;
  const score = await dictionaries.scorer();
  const scored = [...password].slice(0, SCORED_CHARACTERS).join('');
  return score(scored, names) < settings.passwordMinScore;
}
