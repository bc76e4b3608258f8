import type { Context } from '#src/context';
import { Problem, type FieldError } from '#src/platform/http/problem';
import { fold, foldLoosely } from '#src/platform/text';
import { isBreached } from '#src/passwords/breached-passwords';
import { hasLine } from '#src/passwords/common-passwords';
import { isGuessable } from '#src/passwords/password-score';
import { isPredictable, unitOf } from '#src/passwords/predictable';

export { createPasswordDictionaries, type PasswordDictionaries } from '#src/passwords/dictionaries';

/** In characters. Shorter parts of a name are not looked for in a password. */
const SHORTEST_NAME = 3;
const NAMES_OF_OURS = ['sallyport', 'admin', 'moderator'];
/** Fewer digits than this, and nothing else, are a date, a telephone number, or guessed soon. */
const ENOUGH_DIGITS = 12;

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
 * (PASSWORD_MIN_LENGTH, in code points), commonly used or as predictable, little more than a name of
 * its owner or of this server, or too easy to guess (PASSWORD_MIN_SCORE). Only if there is no such
 * reason, it asks the service at PASSWORD_BREACH_URL. There are no rules about kinds of characters
 * (NIST SP 800-63B).
 *
 * @param pointer the field of the request that `errors` point at
 * @throws {Problem} 400 `invalid_request` for text that is not well-formed Unicode; 422
 *   `weak_password` with every reason
 */
export async function requireStrong(
  ctx: Context,
  password: string,
  owner: Owner,
  pointer = '/password',
): Promise<void> {
  const { passwordMinLength } = ctx.settings;
  if (!password.isWellFormed()) throw notWellFormed(pointer);
  const list = await ctx.dictionaries.common();
  const errors: FieldError[] = [];
  const refuse = (code: string, message: string) => errors.push({ pointer, code, message });
  if ([...password.normalize('NFC')].length < passwordMinLength)
    refuse('too_short', `Use at least ${passwordMinLength} characters`);
  else if (isCommon(list, password, passwordMinLength))
    refuse('too_common', 'This is one of the first passwords that are tried');
  if (isMostlyNames(list, password, owner, passwordMinLength))
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

const notWellFormed = (pointer: string) =>
  new Problem('invalid_request', {
    members: {
      errors: [{ pointer, code: 'custom', message: 'This is not well-formed Unicode' }],
    },
  });

/**
 * True for a password that everybody tries first: one of the list, also with digits and signs
 * around it; a pattern; a few digits; and a short text that is repeated.
 */
function isCommon(list: Buffer, password: string, minLength: number): boolean {
  const loose = foldLoosely(password);
  const unit = unitOf(loose);
  const word = unit.replaceAll(/^[^\p{L}]+|[^\p{L}]+$/gu, '');
  return (
    [loose, unit, word].some((text) => hasLine(list, text)) ||
    (unit !== loose && [...unit].length < minLength) ||
    (/^\p{N}*$/u.test(loose) && [...loose].length < ENOUGH_DIGITS) ||
    isPredictable(fold(password))
  );
}

/** Names of an owner, also backwards, and of this server, folded loosely, the longest first. */
function namesOf({ username, email, name }: Owner): string[] {
  const [local, domain] = email?.split('@') ?? [];
  const whole = [username, email, local, domain, name];
  const parts = [username, local, name].flatMap((text) => text?.split(/[\s._+-]+/) ?? []);
  const own = [...whole, ...parts].map((text) => foldLoosely(text ?? ''));
  const reversed = own.map((text) => [...text].reverse().join(''));
  return [...own, ...reversed, ...NAMES_OF_OURS]
    .filter((text) => [...text].length >= SHORTEST_NAME)
    .sort((a, b) => b.length - a.length);
}

/** True if names stand in a password, and what is left of it would be no password. */
function isMostlyNames(list: Buffer, password: string, owner: Owner, minLength: number): boolean {
  const loose = foldLoosely(password);
  const rest = namesOf(owner).reduce((left, each) => left.replaceAll(each, ''), loose);
  if (rest === loose) return false;
  return [...rest].length < minLength || !/\p{L}/u.test(rest) || isCommon(list, rest, minLength);
}
