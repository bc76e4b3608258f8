import * as fc from 'fast-check';
import { encode, forge, read } from '#test/support/forge';

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~+/=';
const letter = fc.constantFrom(...LETTERS);
const swapCase = (char: string) =>
  char === char.toLowerCase() ? char.toUpperCase() : char.toLowerCase();
const replaced = (text: string, at: number, char: string) =>
  text.slice(0, at) + char + text.slice(at + 1);

/** The token after a change of its text: a bit, a letter, a segment, a cut. Never the token itself. */
export function changedText(token: string): fc.Arbitrary<string> {
  const place = fc.nat(token.length - 1);
  const flip = (at: number, bit: number) =>
    replaced(token, at, String.fromCharCode(token.charCodeAt(at) ^ (1 << bit)));
  return fc
    .oneof(
      fc.tuple(place, fc.nat(6)).map(([at, bit]) => flip(at, bit)),
      fc.shuffledSubarray(token.split('.'), { minLength: 1 }).map((parts) => parts.join('.')),
      place.map((at) => replaced(token, at, swapCase(token[at]!))),
      fc.tuple(place, letter).map(([at, char]) => replaced(token, at, char)),
      fc.tuple(place, letter).map(([at, char]) => token.slice(0, at) + char + token.slice(at)),
      place.map((at) => replaced(token, at, '')),
      place.map((at) => token.slice(0, at)),
      letter.map((char) => token + char),
    )
    .filter((other) => other !== token && /^[\x21-\x7e]+$/.test(other));
}

/** Text that is no token, but may look like one. */
export const anySegments = (token: string): fc.Arbitrary<string> => {
  const segment = fc.oneof(
    fc.json({ maxDepth: 2 }).map(encode),
    fc.string({ unit: letter, maxLength: 60 }),
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.constantFrom(...token.split('.')),
  );
  return fc.array(segment, { maxLength: 5 }).map((parts) => parts.join('.'));
};

type Json = Record<string, unknown>;
const NAMES =
  'alg typ kid crit b64 jwk jku x5c zip cty iss aud sub sid jti iat exp gen nbf __proto__';

/** A value that is near to this one, or any at all. */
const near = (value: unknown): fc.Arbitrary<unknown> =>
  fc.oneof(
    fc.constant(value),
    fc.constantFrom(undefined, null, '', 0, -1, true, [], {}, [value], String(value)),
    fc.integer({ min: -3, max: 3 }).map((by) => (typeof value === 'number' ? value + by : by)),
    fc.constantFrom('none', 'HS256', 'ES256', 'RS256', 'at+jwt', 'JWT', 4_102_444_800),
    fc.jsonValue(),
  );

/** The same members, of which a few were changed, removed or added. */
function edited(members: Json): fc.Arbitrary<Json> {
  const names = [...new Set([...Object.keys(members), ...NAMES.split(' ')])];
  const edit = fc
    .constantFrom(...names)
    .chain((name) => near(members[name]).map((value) => [name, value] as const));
  return fc
    .array(edit, { maxLength: 2 })
    .map((edits) => Object.fromEntries([...Object.entries(members), ...edits]));
}

type Sign = (input: string) => string | Buffer;

/** The token with another header or other claims, signed anew by one of these. */
export function editedToken(token: string, signers: readonly Sign[]): fc.Arbitrary<string> {
  const { header, claims } = read(token);
  return fc
    .tuple(edited(header), edited(claims), fc.constantFrom(...signers))
    .map(([head, payload, sign]) => forge(head, payload, sign));
}
