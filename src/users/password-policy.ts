import { config } from '#src/config';
import { Problem, type FieldError } from '#src/core/problem';

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
 * Throws 422 `weak_password` with every reason: too short (PASSWORD_MIN_LENGTH, in code points), commonly used, or little
 * more than a name of its owner or of this server. There are no rules about kinds of characters (NIST SP 800-63B).
 * `pointer` says which field is meant.
 */
export async function requireStrong(password: string, owner: Owner, pointer = '/password'): Promise<void> {
  const errors: FieldError[] = [];
  const refuse = (code: string, message: string) => errors.push({ pointer, code, message });
  if ([...password].length < config.PASSWORD_MIN_LENGTH) refuse('too_short', `Use at least ${config.PASSWORD_MIN_LENGTH} characters`);
  if ((await commonPasswords()).has(fold(password))) refuse('too_common', 'This is one of the first passwords that are tried');
  if (restsOnNames(fold(password), owner)) refuse('contains_name', 'Without your own names in it, this password is too short');
  if (errors.length > 0) throw new Problem('weak_password', { members: { errors } });
}

function restsOnNames(password: string, { username, email, name }: Owner): boolean {
  const names = [username, email, email?.split('@')[0], ...(name?.split(/\s+/) ?? []), 'sallyport', 'admin', 'moderator']
    .map((text) => fold(text ?? ''))
    .filter((text) => [...text].length >= SHORTEST_NAME)
    .sort((a, b) => b.length - a.length);
  const rest = names.reduce((left, each) => left.replaceAll(each, ''), password);
  return rest !== password && [...rest].length < config.PASSWORD_MIN_LENGTH;
}
