import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseEmail } from '#src/platform/email-address';
import { isReserved, username } from '#src/users/identifiers';

/** The canonical form, or null if it is not a name. */
const canonical = (found: ReturnType<typeof username>) =>
  'code' in found ? null : found.canonical;

const someText = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 70 }),
  fc.string({ unit: 'binary', maxLength: 70 }),
  fc.string({
    unit: fc.nat(0x10ffff).map((point) => String.fromCodePoint(point)),
    minLength: 2,
    maxLength: 4,
  }),
);

it('makes a canonical username its own canonical form, for any text', () => {
  fc.assert(
    fc.property(someText, (text) => {
      const once = canonical(username(text));
      if (once !== null) expect(canonical(username(once))).toBe(once);
    }),
    { numRuns: 3000 },
  );
});

it('makes the canonical form of every single letter its own, and shows and stores at most 64 characters of it', () => {
  const wrong: string[] = []; // one expectation for all: a million would be slow
  for (let point = 0; point <= 0x10ffff; point++) {
    const found = username(String.fromCodePoint(point).repeat(2));
    if ('code' in found) continue;
    if (canonical(username(found.canonical)) !== found.canonical)
      wrong.push(`${point.toString(16)}: canonical form`);
    if (canonical(username(found.display)) !== found.canonical)
      wrong.push(`${point.toString(16)}: display form`);
    if (/[\p{C}\p{Z}@\p{Default_Ignorable_Code_Point}]/u.test(found.canonical))
      wrong.push(`${point.toString(16)}: invisible`);
  }
  expect(wrong).toEqual([]);
});

it('makes a canonical address its own canonical form, in ASCII, for any text', () => {
  const local = fc.oneof(
    someText,
    fc.string({ minLength: 1, maxLength: 10, unit: fc.constantFrom(...'aZ.+-_1\u212aİı@" ') }),
  );
  const domain = fc.oneof(
    someText,
    fc.domain(),
    fc.string({ minLength: 1, maxLength: 10, unit: fc.constantFrom(...'aZ.-1ßéａ。\u00ad') }),
  );
  fc.assert(
    fc.property(local, domain, (name, host) => {
      const once = canonical(parseEmail(`${name}@${host}.example`));
      if (once === null) return;
      expect(once).toMatch(/^[!-~]+@[a-z0-9.-]+$/);
      expect(once.length).toBeLessThanOrEqual(254);
      expect(canonical(parseEmail(once))).toBe(once);
    }),
    { numRuns: 3000 },
  );
});

it('calls a name reserved however it is spelt in upper and lower case', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('admin', 'root', 'system', 'support'),
      fc.array(fc.boolean(), { minLength: 7, maxLength: 7 }),
      (name, up) => {
        const typed = [...name].map((char, i) => (up[i] ? char.toUpperCase() : char)).join('');
        const found = username(typed);
        expect('canonical' in found && isReserved(found)).toBe(true);
      },
    ),
  );
});
