import { parseEmail, type Fault, type Identifier } from '#src/platform/email-address';
import { fold } from '#src/platform/text';

/*
 * A name has two forms: as it was typed, and a canonical one that decides which names are the
 * same. Databases never decide that: their collations disagree about case, accents and spaces.
 *
 * | step             | username                                  | e-mail                        |
 * | spaces around it | removed                                   | removed                       |
 * | Unicode          | NFKC                                      | ASCII before the @; then IDNA |
 * | case             | lower, without locale; ς is σ and İ is i  | lower                         |
 * | letters          | visible, of one writing system (UTS #39)  | RFC 5321, without quotes      |
 * | length           | 2 to 64                                   | 64 before the @, 254 in all   |
 *
 * Addresses are read by `parseEmail`.
 */

const ALPHABETS = ['Latin', 'Cyrillic', 'Greek', 'Armenian', 'Georgian'];
const SCRIPTS_WITH_MARKS = (
  'Hebrew Arabic Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada Malayalam ' +
  'Sinhala Thai Lao Tibetan Myanmar Khmer Ethiopic Thaana'
).split(' ');
const COMBINED_SCRIPTS = [
  ['Latin', 'Han', 'Hiragana', 'Katakana'],
  ['Latin', 'Han', 'Bopomofo'],
  ['Latin', 'Han', 'Hangul'],
];

/** Matches text in these scripts. Digits may be ASCII, or those of the script. */
function textIn(scripts: string[], { marks = false } = {}): RegExp {
  const letters = scripts.map((script) => `\\p{Script_Extensions=${script}}`).join('');
  return new RegExp(
    `^${marks ? '' : '(?!.*\\p{M})'}[${letters}\\p{Script=Inherited}0-9._-]+$`,
    'u',
  );
}

/** An alphabet has letters with their accents, so a loose mark in it can only be a disguise. */
const WRITING_SYSTEMS = [
  ...ALPHABETS.map((script) => textIn([script])),
  ...COMBINED_SCRIPTS.map((scripts) => textIn(scripts)),
  ...SCRIPTS_WITH_MARKS.map((script) => textIn([script], { marks: true })),
];
/**
 * Letters of phonetics and clicks look like others. No name needs them (UTS #39: not recommended).
 */
const UNUSUAL = /[\u01c0-\u01c3\u0250-\u0258\u025a-\u02af\u1d00-\u1dbf\ua720-\ua7ff]/;
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
/** Some letters and marks are invisible: a name with one would look like the name without it. */
const CHARACTERS = /^(?!.*\p{Default_Ignorable_Code_Point})[\p{L}\p{Nd}][\p{L}\p{M}\p{Nd}._-]*$/u;

const trim = (text: string) => text.replace(/^ +| +$/g, '');

/**
 * Reads a username, or says what is wrong with it. A username has no @, so it is never an address.
 */
export function username(typed: string): Identifier | Fault {
  const display = trim(typed).normalize('NFC');
  const canonical = fold(display);
  const length = Math.max([...display].length, [...canonical].length);
  if (length < 2 || length > 64)
    return { code: 'length', message: 'A username has 2 to 64 characters' };
  if (!CHARACTERS.test(canonical) || !CHARACTERS.test(fold(canonical)) || UNUSUAL.test(canonical))
    return {
      code: 'characters',
      message: 'A username is made of letters, digits and . _ - and begins with a letter or digit',
    };
  if (UUID.test(canonical))
    return { code: 'characters', message: 'A username does not look like an id' };
  if (!WRITING_SYSTEMS.some((system) => system.test(canonical)))
    return {
      code: 'mixed_script',
      message:
        'A username uses letters of one writing system: look-alikes are how people are impersonated',
    };
  return { display, canonical };
}

interface Names {
  username?: Identifier | null | undefined;
  email?: Identifier | null | undefined;
}

/** Names as columns of the table of users. */
export const namesAsColumns = (names: Names) => ({
  username: names.username?.display ?? null,
  usernameCanonical: names.username?.canonical ?? null,
  email: names.email?.display ?? null,
  emailCanonical: names.email?.canonical ?? null,
});

/** Letters of other scripts, and digits, that look like a small Latin letter. */
const LOOKALIKES = new Map(
  (
    'аa еe оo рp сc уy хx іi јj ѕs ԁd һh кk мm тt вb нn ιi οo αa νv ρp τt κk υu ıi đd łl øo ' +
    '0o 1l 3e 5s'
  )
    .split(' ')
    .map((pair) => [...pair] as [string, string]),
);
/** The same text for names that look alike (UTS #39 §4). */
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

/**
 * True for a name that people trust, also when it is written with look-alike letters. Nobody can
 * register it. The command line can.
 */
export const isReserved = ({ canonical }: Identifier): boolean => RESERVED.has(skeleton(canonical));

/** The canonical form of a typed username or address as a condition, or null if it is neither. */
export function identifierOf(
  typed: string,
): { usernameCanonical: string } | { emailCanonical: string } | null {
  const isEmail = typed.includes('@');
  const found = isEmail ? parseEmail(typed) : username(typed);
  if ('code' in found) return null;
  return isEmail ? { emailCanonical: found.canonical } : { usernameCanonical: found.canonical };
}
