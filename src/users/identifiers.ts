import { domainToASCII } from 'node:url';
import { z } from 'zod';

/**
 * A name in two forms: as it was typed, and the one that decides which names are the same. Databases never decide:
 * their collations disagree about case, accents and spaces.
 *
 * | step           | username                                  | e-mail                                   |
 * | spaces around  | dropped                                   | dropped                                  |
 * | Unicode        | NFKC                                      | ASCII before the @; IDNA after it        |
 * | case           | lower, without locale; ς is σ and İ is i    | lower                                    |
 * | letters        | visible, of one writing system (UTS #39)  | as RFC 5321 allows without quotes        |
 * | length         | 2 to 64                                   | up to 64 before the @, 254 in all        |
 */
export interface Identifier {
  display: string;
  canonical: string;
}
export interface Fault {
  code: string;
  message: string;
}

const ALPHABETS = ['Latin', 'Cyrillic', 'Greek', 'Armenian', 'Georgian'];
const WITH_MARKS = (
  'Hebrew Arabic Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam Sinhala ' +
  'Thai Lao Tibetan Myanmar Khmer Ethiopic Thaana'
).split(' ');
const TOGETHER = [
  ['Latin', 'Han', 'Hiragana', 'Katakana'],
  ['Latin', 'Han', 'Bopomofo'],
  ['Latin', 'Han', 'Hangul'],
];
const written = (scripts: string[], marks = false) =>
  new RegExp(
    `^${marks ? '' : '(?!.*\\p{M})'}[${scripts.map((script) => `\\p{Script_Extensions=${script}}`).join('')}\\p{Script=Inherited}0-9._-]+$`,
    'u',
  );
/** Digits are ASCII's or the script's own. In an alphabet whose letters come with their accents, a loose mark is a disguise. */
const SYSTEMS = [
  ...[...ALPHABETS.map((script) => [script]), ...TOGETHER].map((scripts) => written(scripts)),
  ...WITH_MARKS.map((script) => written([script], true)),
];
/** Letters of phonetics and clicks, which no name needs and which look like others (UTS #39: not recommended). */
const UNUSUAL = /[\u01c0-\u01c3\u0250-\u0258\u025a-\u02af\u1d00-\u1dbf\ua720-\ua7ff]/;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

// Some letters and marks are drawn as nothing at all: `ada` and `ada` with a variation selector would look the same.
const CHARACTERS = /^(?!.*\p{Default_Ignorable_Code_Point})[\p{L}\p{Nd}][\p{L}\p{M}\p{Nd}._-]*$/u;

/** What makes two spellings of a username, or of a part of one, the same. */
export const fold = (text: string): string =>
  text.normalize('NFKC').replaceAll('İ', 'i').toLowerCase().replaceAll('ς', 'σ').normalize('NFKC');
const trim = (text: string) => text.replace(/^ +| +$/g, '');

/** The username behind what was typed, or what is wrong with it. It can never look like an e-mail address: there is no @ in it. */
export function username(typed: string): Identifier | Fault {
  const display = trim(typed).normalize('NFC');
  const canonical = fold(display);
  const length = Math.max([...display].length, [...canonical].length);
  if (length < 2 || length > 64) return { code: 'length', message: 'A username has 2 to 64 characters' };
  if (!CHARACTERS.test(canonical) || !CHARACTERS.test(fold(canonical)) || UNUSUAL.test(canonical))
    return { code: 'characters', message: 'A username is made of letters, digits and . _ - and begins with a letter or digit' };
  if (UUID.test(canonical)) return { code: 'characters', message: 'A username does not look like an id' };
  if (!SYSTEMS.some((system) => system.test(canonical)))
    return { code: 'mixed_script', message: 'A username uses letters of one writing system: look-alikes are how people are impersonated' };
  return { display, canonical };
}

/** The address behind what was typed, or what is wrong with it. Dots and `+tags` are part of it: only its owner knows if they matter. */
export function email(typed: string): Identifier | Fault {
  const display = trim(typed);
  const at = display.lastIndexOf('@');
  const domain = /^(?!.*\p{Default_Ignorable_Code_Point})[^\s@/\\?#:%[\]]+$/u.test(display.slice(at + 1))
    ? domainToASCII(display.slice(at + 1))
    : '';
  const canonical = `${display.slice(0, at)}@${domain}`.toLowerCase();
  if (
    at < 1 ||
    at > 64 ||
    !/^[!-~]+$/.test(display.slice(0, at)) || // before lower case: the Kelvin sign would become a k
    display.length > 254 ||
    !z.email().max(254).safeParse(canonical).success ||
    canonical.length < display.slice(0, at).length
  )
    return { code: 'email', message: 'This is not an e-mail address' };
  return { display, canonical };
}

/** Names as they stand in the table of users. */
export const namesAsColumns = (names: { username?: Identifier | null | undefined; email?: Identifier | null | undefined }) => ({
  username: names.username?.display ?? null,
  usernameCanonical: names.username?.canonical ?? null,
  email: names.email?.display ?? null,
  emailCanonical: names.email?.canonical ?? null,
});

/** Letters of other systems, and digits, that pass for a small Latin letter. */
const LOOKALIKES = new Map(
  'аa еe оo рp сc уy хx іi јj ѕs ԁd һh кk мm тt вb нn ιi οo αa νv ρp τt κk υu ıi đd łl øo 0o 1l 3e 5s'
    .split(' ')
    .map((pair) => [...pair] as [string, string]),
);
const skeleton = (canonical: string) =>
  [...canonical.normalize('NFD')]
    .filter((char) => /[\p{L}\p{Nd}]/u.test(char))
    .map((char) => LOOKALIKES.get(char) ?? char)
    .join('')
    .replaceAll('l', 'i')
    .replaceAll('rn', 'm');
const RESERVED = new Set(
  [
    'admin',
    'administrator',
    'moderator',
    'mod',
    'root',
    'system',
    'sallyport',
    'support',
    'security',
    'staff',
    'null',
    'undefined',
    'anonymous',
    'everyone',
    'me',
  ].map(skeleton),
);

/** Names that people trust, also when they are written with look-alike letters. Strangers may not take them; the command line may. */
export const isReserved = ({ canonical }: Identifier): boolean => RESERVED.has(skeleton(canonical));

/** The canonical form of whatever somebody typed to sign in, or null if it can be nobody's. */
export function identifierOf(typed: string): { usernameCanonical: string } | { emailCanonical: string } | null {
  const isEmail = typed.includes('@');
  const found = isEmail ? email(typed) : username(typed);
  if ('code' in found) return null;
  return isEmail ? { emailCanonical: found.canonical } : { usernameCanonical: found.canonical };
}
