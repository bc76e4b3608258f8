import type { Context } from '#src/context';
import { Problem, type FieldError } from '#src/platform/http/problem';
import { fold } from '#src/platform/text';
import { isBreached } from '#src/passwords/breached-passwords';
import { commonPasswords } from '#src/passwords/dictionaries';
import { isGuessable } from '#src/passwords/password-score';

export { createPasswordDictionaries, type PasswordDictionaries } from '#src/passwords/dictionaries';

/** In characters. Shorter parts of a name are not looked for in a password. */
const SHORTEST_NAME = 3;

interface Owner {
  username?: string | null | undefined;
  email?: string | null | undefined;
  name?: string | null | undefined;
}

/** For people: what a new password needs. */
export const passwordRule = ({ settings }: Pick<Context, 'settings'>): string =>
  `A new password has at least ${settings.passwordMinLength} characters.`;

/**
 * Every place where a password is chosen calls this. It refuses a password that is too short
 * (PASSWORD_MIN_LENGTH, in code points), commonly used, little more than a name of its owner or of
 * this server, or too easy to guess (PASSWORD_MIN_SCORE). Only if there is no such reason, it asks
 * the service at PASSWORD_BREACH_URL. There are no rules about kinds of characters (NIST SP
 * 800-63B).
 *
 * @param pointer the field of the request that `errors` point at
 * @throws {Problem} 422 `weak_password` with every reason
 */
export async function requireStrong(
  ctx: Context,
  password: string,
  owner: Owner,
  pointer = '/password',
): Promise<void> {
  const { passwordMinLength } = ctx.settings;
  const folded = fold(password);
  const errors: FieldError[] = [];
  const refuse = (code: string, message: string) => errors.push({ pointer, code, message });
  if ([...password.normalize('NFC')].length < passwordMinLength)
    refuse('too_short', `Use at least ${passwordMinLength} characters`);
  if ((await commonPasswords(ctx.dictionaries)).has(folded))
    refuse('too_common', 'This is one of the first passwords that are tried');
  if (isMostlyNames(folded, owner, passwordMinLength))
    refuse('contains_name', 'Without your own names in it, this password is too short');
  if (await isGuessable(ctx, password, namesOf(owner)))
    refuse(
      'too_guessable',
      'This would be guessed soon: add a few words that do not belong together',
    );
  if (errors.length === 0 && (await isBreached(ctx, password)))
    refuse('breached', 'This password is known from a breach elsewhere');
  if (errors.length > 0) throw new Problem('weak_password', { members: { errors } });
}

/** Names of an owner and of this server, folded, the longest first. */
const namesOf = ({ username, email, name }: Owner): string[] =>
  [
    username,
    email,
    email?.split('@')[0],
    ...(name?.split(/\s+/) ?? []),
    'sallyport',
    'admin',
    'moderator',
  ]
    .map((text) => fold(text ?? ''))
    .filter((text) => [...text].length >= SHORTEST_NAME)
    .sort((a, b) => b.length - a.length);

/** True if a folded password is too short without the names in it. */
function isMostlyNames(folded: string, owner: Owner, minLength: number): boolean {
  const rest = namesOf(owner).reduce((left, each) => left.replaceAll(each, ''), folded);
  return rest !== folded && [...rest].length < minLength;
}
