import { config } from '#src/config';
import { Problem, type FieldError } from '#src/core/problem';
import { isBreached } from '#src/users/breached-passwords';
import { isGuessable } from '#src/users/password-score';

/** How many of the most used passwords are refused. The list is longer; what is rarer is no longer "common". */
const COMMON = 20_000;
/** Shortest name that counts as one inside a password, in characters. */
const SHORTEST_NAME = 3;

let common: Promise<Set<string>> | undefined;
/** Loaded when first asked for: 50 000 strings that an idle server need not hold. */
const commonPasswords = () =>
  (common ??= import('@zxcvbn-ts/language-common').then(({ dictionary }) => new Set(dictionary['passwords-common'].slice(0, COMMON))));

const fold = (text: string) => text.normalize('NFKC').toLowerCase();

interface Owner {
  username?: string | null | undefined;
  email?: string | null | undefined;
  name?: string | null | undefined;
}

/**
 * Every door at which a password is chosen calls this. Throws 422 `weak_password` with every reason: too short (PASSWORD_MIN_LENGTH, in
 * code points), commonly used, little more than a name of its owner or of this server, or too easy to guess (PASSWORD_MIN_SCORE). Only if
 * there is none, the world is asked whether it is known from a breach (PASSWORD_BREACH_URL). There are no rules about kinds of characters
 * (NIST SP 800-63B).
 * `pointer` says which field is meant.
 */
export async function requireStrong(password: string, owner: Owner, pointer = '/password'): Promise<void> {
  const errors: FieldError[] = [];
  const refuse = (code: string, message: string) => errors.push({ pointer, code, message });
  if ([...password.normalize('NFC')].length < config.PASSWORD_MIN_LENGTH)
    refuse('too_short', `Use at least ${config.PASSWORD_MIN_LENGTH} characters`);
  if ((await commonPasswords()).has(fold(password))) refuse('too_common', 'This is one of the first passwords that are tried');
  if (restsOnNames(fold(password), owner)) refuse('contains_name', 'Without your own names in it, this password is too short');
  if (await isGuessable(password, namesOf(owner)))
    refuse('too_guessable', 'This would be guessed soon: add a few words that do not belong together');
  if (errors.length === 0 && (await isBreached(password))) refuse('breached', 'This password is known from a breach elsewhere');
  if (errors.length > 0) throw new Problem('weak_password', { members: { errors } });
}

/** What an owner and this server are called, the longest first. */
const namesOf = ({ username, email, name }: Owner): string[] =>
  [username, email, email?.split('@')[0], ...(name?.split(/\s+/) ?? []), 'sallyport', 'admin', 'moderator']
    .map((text) => fold(text ?? ''))
    .filter((text) => [...text].length >= SHORTEST_NAME)
    .sort((a, b) => b.length - a.length);

function restsOnNames(password: string, owner: Owner): boolean {
  const rest = namesOf(owner).reduce((left, each) => left.replaceAll(each, ''), password);
  return rest !== password && [...rest].length < config.PASSWORD_MIN_LENGTH;
}
