import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { username } from '#src/users/identifiers';
import { password, startApp } from '#test/support/app';
import { runs } from '#test/support/properties';

const { ask, logIn } = await startApp();

const signUp = (fields: object) => ask('POST', '/auth/register', { body: { password, ...fields } });
/** The canonical form, or null if it is not a name. */
const canonical = (found: ReturnType<typeof username>) =>
  'code' in found ? null : found.canonical;

// MySQL's collations and SQLite disagree about these pairs. The verdict here is the same on
// every engine.
const pairs: [what: string, first: string, second: string, verdict: 201 | 400 | 409][] = [
  ['case', 'yasmin', 'YASMIN', 409],
  ['an accent (N-06)', 'jasmin', 'jasmín', 201],
  ['a space after it (N-03)', 'rosmin', 'rosmin ', 409],
  ['a space before it (N-03)', 'tasmin', ' tasmin', 409],
  ['a dotted capital İ (N-09)', 'istanbul', 'İstanbul', 409],
  ['a dotless ı (N-09)', 'izmir', 'ızmir', 201],
  ['its normal form (P-11)', 'caf\u00e9', 'cafe\u0301', 409],
  ['a Cyrillic а (N-11)', 'anton', 'аnton', 400],
  ['a final sigma', 'σίσυφος', 'ΣΊΣΥΦΟΣ', 409],
  ['full width', 'fullwidth', 'ｆｕｌｌｗｉｄｔｈ', 409],
  ['a ligature', 'office', 'oﬃce', 409],
  ['ß and ss', 'strasse', 'straße', 201],
  ['the Kelvin sign', 'kelvin', '\u212aelvin', 409],
  ['a no-break space after it', 'nobreak', 'nobreak\u00a0', 400],
  ['a tab after it (N-12)', 'tabbed', 'tabbed\t', 400],
  ['4-byte letters', '𝒷𝑜𝓁𝒹', 'bold', 409],
  ['katakana and hiragana', 'カナ', 'かな', 201],
  ['a dakuten', 'はは', 'はば', 201],
  ['digits of another script', 'ali1', 'ali١', 400],
  ['a dot', 'dot.ted', 'dotted', 201],
];

it.each(pairs)(
  'says the same on every engine about usernames that differ by %s: %j, %j → %i',
  async (_what, first, second, verdict) => {
    expect((await signUp({ username: first })).status).toBe(201);
    const answer = await signUp({ username: second });
    expect(answer.status, answer.text).toBe(verdict);
    const entered = await logIn(second);
    expect(entered.status).toBe(verdict === 400 ? 401 : 200);
    if (verdict === 409) expect(entered.body.user.username).toBe(first);
    if (verdict === 201) expect(entered.body.user.username).toBe(second);
  },
);

it.each([
  ['case (N-02)', 'mia@pairs.example', 'MIA@PAIRS.EXAMPLE', 409],
  ['a space after it (N-03)', 'noa@pairs.example', 'noa@pairs.example ', 409],
  ['an accent (N-06)', 'lea@pairs.example', 'léa@pairs.example', 400],
  ['a dotless ı (N-09)', 'ina@pairs.example', 'ına@pairs.example', 400],
  ['a dotted capital İ (N-09)', 'ida@pairs.example', 'İda@pairs.example', 400],
  ['the Kelvin sign (N-09)', 'kim@pairs.example', '\u212aim@pairs.example', 400],
  ['a dotless ı in the domain (N-09)', 'eva@pairs.example', 'eva@paırs.example', 201],
  ['an accent in the domain (N-06)', 'ava@pairs.example', 'ava@páirs.example', 201],
  ['a homoglyph in the domain (N-11)', 'ora@pairs.example', 'ora@pаirs.example', 201],
  ['the spelling of a domain', 'una@bücher.example', 'una@xn--bcher-kva.example', 409],
  ['full width in the domain', 'ana@pairs.example', 'ana@ｐairs.example', 409],
  ['a tag (N-21)', 'pia@pairs.example', 'pia+1@pairs.example', 201],
  ['a dot (N-21)', 'tea@pairs.example', 't.ea@pairs.example', 201],
  ['a dot at the end', 'zoe@pairs.example', 'zoe@pairs.example.', 400],
] as const)(
  'says the same on every engine about addresses that differ by %s: %j, %j → %i',
  async (_what, first, second, verdict) => {
    expect((await signUp({ email: first })).status).toBe(201);
    const answer = await signUp({ email: second });
    expect(answer.status, answer.text).toBe(verdict);
    const entered = await logIn(second);
    expect(entered.status).toBe(verdict === 400 ? 401 : 200);
    if (verdict !== 400) expect(entered.body.user.email).toBe(verdict === 409 ? first : second);
  },
);

/** Pairs that are tried at once. More would fill the queue for bcrypt on a busy machine. */
const AT_ONCE = 4;

it('refuses a sign-up as taken exactly when the canonical forms are the same', async () => {
  const spellings: Record<string, string[]> = {
    a: ['a', 'A', 'ａ', 'á', 'a\u0301', 'ª', 'ä'],
    i: ['i', 'I', 'İ', 'ı', 'ｉ', 'í'],
    k: ['k', 'K', '\u212a', 'ḱ'],
    s: ['s', 'S', 'ſ', 'ß', 'ş'],
    n: ['n', 'N', 'ñ', 'n\u0303', 'ｎ'],
  };
  const name = fc
    .tuple(
      ...Object.values(spellings).map((list) =>
        fc.oneof(
          { weight: 3, arbitrary: fc.constantFrom(list[0]!, list[1]!) },
          fc.constantFrom(...list),
        ),
      ),
    )
    .map((letters) => letters.join(''));
  let made = 0;
  // Each with a prefix that no other pair has. Pairs do not meet, so many are tried at once.
  const tryPair = async ([one, other]: [string, string]) => {
    const unique = `p${++made}.`;
    const forms = [one, other].map((text) => canonical(username(unique + text)));
    const first = await signUp({ username: unique + one });
    const second = await signUp({ username: unique + other });
    expect(first.status).toBe(forms[0] === null ? 400 : 201);
    expect(second.status, `${one} ${other}`).toBe(
      forms[1] === null ? 400 : forms[0] === forms[1] ? 409 : 201,
    );
  };
  const pairs = fc.array(fc.tuple(name, name), { minLength: AT_ONCE, maxLength: AT_ONCE });
  await fc.assert(
    fc.asyncProperty(pairs, async (all) => void (await Promise.all(all.map(tryPair)))),
    runs(AT_ONCE),
  );
});
