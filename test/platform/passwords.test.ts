import bcrypt from 'bcrypt';
import * as fc from 'fast-check';
import { expect, it, vi } from 'vitest';
import { createPasswordHasher } from '#src/platform/crypto/passwords';
import { password, startApp } from '#test/support/app';
import { engine } from '#test/support/database';
import { runs } from '#test/support/properties';

const COST = 6;
const { ctx, ask, register, logIn, unusedName, User } = await startApp({
  BCRYPT_COST: String(COST),
});
const { passwords } = ctx;

const hashOf = async (id: string) => (await User.findByPk(id))!.passwordHash!;
const imported = async (passwordHash: string) => {
  const user = await register();
  await User.update({ passwordHash }, { where: { id: user.id } });
  return user;
};

it.each([
  [
    '$2x$, PHP’s name for hashes of the sign-extension bug (P-20)',
    '$2x$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e',
  ],
  ['an unknown kind of bcrypt', '$2c$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['cost 3', '$2b$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['cost 32', '$2b$32$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['a hash that is cut', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe'],
  ['a hash that is too long', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWW'],
  ['a line end after it', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW\n'],
  [
    'version 1 of bcrypt-sha256',
    '$bcrypt-sha256$2b,5$CCCCCCCCCCCCCCCCCCCCC.$E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW',
  ],
  ['another system’s', '{SSHA}DkMTwBl+a/3DQTxCYEApdUtNXGgdUac3'],
  ['the password itself', 'U*U'],
  ['nothing', ''],
])('refuses %s, and breaks at none of it', async (_what, hash) => {
  expect(await passwords.matches('U*U', hash)).toBe(false);
  expect(await passwords.matches('', hash)).toBe(false);
});

it('refuses everything for a user without a hash, even what the decoy is made of', async () => {
  for (const tried of ['', '\u0000', '.', '.'.repeat(22), '.'.repeat(53)]) {
    expect(await passwords.matches(tried, null)).toBe(false);
    expect(await passwords.matches(tried, undefined)).toBe(false);
  }
});

// Openwall crypt_blowfish 1.3, wrapper.c; those below cost 6 from jBCrypt's TestBCrypt.java.
const published: [plain: string, hash: string][] = [
  ['U*U', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW'],
  ['U*U*', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.VGOzA784oUp/Z0DY336zx7pLYAy0lwK'],
  ['U*U*U', '$2a$05$XXXXXXXXXXXXXXXXXXXXXOAcXxm9kjPGEMsLznoKqmqw7tc8WCx4a'],
  ['', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.7uG0VCzI2bS7j6ymqJi9CdcdxiRTWNy'],
  ['a', '$2a$06$m0CrhHm10qJ3lXRY.5zDGO3rS2KdeeWLuGmsfGlMfOxih58VYVfxe'],
  ['abc', '$2a$06$If6bvum7DFjUnE9p2uDeDu0YHzrHM6tf.iqN8.yx.jNN1ILEf7h0i'],
  ['abcdefghijklmnopqrstuvwxyz', '$2a$06$.rCVZVOThsIa97pEDOxvGuRRgzG64bvtJ0938xuqzv18d3ZpQhstC'],
  [
    '~!@#$%^&*()      ~!@#$%^&*()PNBFRD',
    '$2a$06$fPIsBO8qRqkjj273rfaOI.HtSV9jLDpTbZn782DC6/t7qT67P6FfO',
  ],
  // passlib 1.7.4: bcrypt.using(rounds=4, ident='2y').hash('…')
  ['correct horse battery', '$2a$04$NP3pgn1MI/1jgTKYGV4k6.7gaiYrH1phOqZgQXSeYmiMdMYSRtkIC'],
  ['correct horse battery', '$2b$04$0l/LBuQqPLGemO1XR5iPZuJU6dIl0uUieuWhDRQ9iN85PaLNdrImS'],
  ['correct horse battery', '$2y$04$2W8gqRuEIx6EtJtappIh8.gQIccERVw1hyGHc76QR8rvdq8mawKSm'],
  ['пароль длинный', '$2a$04$zZWdib./BmwhMH/jSV/LZO55zD99bmHlN9F6Ni941gINySXH/O6gO'],
  ['пароль длинный', '$2b$04$cNUPPGTFT4GvPPhhRMfnWer4avb0m2UHhBlGbmKtzem6k2Y8klnoS'],
  ['пароль длинный', '$2y$04$4eGUndH0ZhRdNQVtcM97ne09xm25U/k3jpGdD5sClA/LkpD38q9NC'],
];
it.each(published)(
  'knows %j by the published hash %s, and nothing else by it (P-20, P-21)',
  async (plain, hash) => {
    expect(await passwords.matches(plain, hash)).toBe(true);
    expect(await passwords.matches(`${plain}x`, hash)).toBe(false);
    expect(await passwords.matches(`${plain}\u0000`, hash)).toBe(false);
    expect(await passwords.matches(plain, hash.replace(/^\$2.\$/, '$2x$'))).toBe(false);
  },
);

// passlib 1.7.4: bcrypt_sha256.using(rounds=4).hash('…')
const passlib: [plain: string, hash: string][] = [
  ['', '$bcrypt-sha256$v=2,t=2b,r=4$YeOpmLE.co8DXxuuEKn7FO$85fLiRAnQ9GD4aI/INV.7NZc4OyF0Km'],
  [
    'password',
    '$bcrypt-sha256$v=2,t=2b,r=4$/sazTpBKRlgJwFH2EH7FB.$7pxhBCbbjFtzgj2zTrF2UbAek2PivNK',
  ],
  [
    'correct horse battery',
    '$bcrypt-sha256$v=2,t=2b,r=4$X/0oNf/Re1RldRllOCHeGu$SeO4ArwXi0zXLkCToVKjt.RrBPrASPS',
  ],
  [
    'é'.repeat(40),
    '$bcrypt-sha256$v=2,t=2b,r=4$H8tyBP6nEnWvwvk6h4Cyku$I4jEGmSAof/LW2KtnM5icgfNu6JqzFe',
  ],
  [
    'a'.repeat(73),
    '$bcrypt-sha256$v=2,t=2b,r=4$qNtK7wliuK2dm3ZPUgeC2.$DdFdQPCcZ3zjYdVWAwlL5yPL9DiryqC',
  ],
  [
    `${'a'.repeat(72)}X`,
    '$bcrypt-sha256$v=2,t=2b,r=4$ZE8o2sKQKapfRNNFXttKIO$MupQio4G4LNAa.ZESBZiN5.vS3zWxyi',
  ],
  [
    'пароль'.repeat(20),
    '$bcrypt-sha256$v=2,t=2b,r=4$llwS1NDPVfTn4qX42DVF5u$SD221evkJFlUozlm3uM1pPnKWK.pcC6',
  ],
  [
    'passphrase number 359',
    '$bcrypt-sha256$v=2,t=2b,r=4$05Ms6x4s.S0sHWtC8inQ2O$1.wUxjSEoKxLVFdxRtAoUSl0noI3k0y',
  ],
  [
    'nul\u0000inside'.repeat(8),
    '$bcrypt-sha256$v=2,t=2b,r=4$XvAJsVMKX16Wv.MTDYWACO$8cnWpUHSv.SLiDqcPbsqc26PJekZ88C',
  ],
];
it.each(passlib)(
  'knows %j by the hash that passlib makes of it, and nothing else',
  async (plain, hash) => {
    expect(await passwords.matches(plain, hash)).toBe(true);
    expect(await passwords.matches(`${plain}x`, hash)).toBe(false);
    expect(await passwords.matches(plain, hash.replace('v=2', 'v=1'))).toBe(false);
  },
);

it('knows a password of more than 72 bytes by a hash of a system that cut it there', async () => {
  // Openwall crypt_blowfish 1.3, wrapper.c
  const openwall = '$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui';
  const first72 = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';
  const whole = `${first72}chars after 72 are ignored`;
  expect(await passwords.matches(first72, openwall)).toBe(true);
  expect(await passwords.matches(whole, openwall)).toBe(true);
  expect(await passwords.matches(first72.slice(0, -1), openwall)).toBe(false);
  // PHP 8.2: password_hash(str_repeat('x', 100), PASSWORD_BCRYPT)
  const php = '$2y$04$knRfDDFx34a/9vP7iFEUyu83I4YIY3s.bq1pzCgMKkSmoLVcIYAA.';
  expect(await passwords.matches('x'.repeat(100), php)).toBe(true);
  expect(await passwords.matches('x'.repeat(71), php)).toBe(false);
});

it('keeps such a hash, so that a slip behind the 72nd byte locks nobody out', async () => {
  const user = await imported('$2y$04$knRfDDFx34a/9vP7iFEUyu83I4YIY3s.bq1pzCgMKkSmoLVcIYAA.');
  expect((await logIn(user.username, `${'x'.repeat(99)}y`)).status).toBe(200);
  expect((await logIn(user.username, 'x'.repeat(100))).status).toBe(200);
});

/** A password of so many letters. */
const long = (length: number) => 'a quiet river, many stones: '.repeat(40).slice(0, length);

it.each([
  ['one letter after 72 bytes (P-06)', `${long(72)}X`, `${long(72)}Y`],
  ['72 bytes and 73 (P-06)', long(72), long(73)],
  ['73 bytes and 72 (P-06)', long(73), long(72)],
  [
    'one letter after 72 bytes of two-byte letters (P-06)',
    `${'жизнь-река-'.repeat(4).slice(0, 36)}X`,
    `${'жизнь-река-'.repeat(4).slice(0, 36)}Y`,
  ],
  ['the 255th and 256th byte', long(255), long(256)],
  ['the 1 024th character', `${long(1023)}X`, `${long(1023)}Y`],
  ['what comes after NUL (P-08)', 'gull\u0000one and only', 'gull\u0000two and more'],
  ['NUL at its beginning (P-08)', '\u0000secret one here', '\u0000secret two here'],
  ['NUL at its end (P-08)', 'ends in nothing\u0000', 'ends in nothing'],
  [
    'NUL and itself once more, which bcrypt alone takes for one (P-08)',
    'seagull-7',
    'seagull-7\u0000seagull-7',
  ],
  ['NUL and itself left out again (P-08)', 'seagull-7\u0000seagull-7', 'seagull-7'],
  ['NUL in a long one (P-08)', `${long(80)}\u0000one`, `${long(80)}\u0000two`],
  ['what SHA-256 makes begin with NUL (P-09)', 'passphrase number 359', 'passphrase number 409'],
  ['a space before it (P-13)', ' quiet river stones', 'quiet river stones'],
  ['a space after it (P-13)', 'quiet river stones ', 'quiet river stones'],
  ['two spaces inside (P-13)', 'quiet  river stones', 'quiet river stones'],
  ['case (P-14)', 'Quiet River Stones', 'quiet river stones'],
  ['full width', 'ｑｕｉｅｔ　ｒｉｖｅｒ', 'quiet river'],
  ['a ligature', 'oﬃcial ﬁle', 'official file'],
])('takes two passwords that differ by %s for two', async (_what, one, other) => {
  const username = unusedName();
  expect((await ask('POST', '/auth/register', { body: { username, password: one } })).status).toBe(
    201,
  );
  expect((await logIn(username, other)).status).toBe(401);
  expect((await logIn(username, one)).status).toBe(200);
});

it.each([
  ['short', 'cafe\u0301 du marche\u0301'],
  ['long', 'quiet cafe\u0301 '.repeat(20)],
  ['72 bytes only when composed', `${long(70)}e\u0301`],
])('takes both forms of é for one password, in a %s one (P-11)', async (_what, decomposed) => {
  const composed = decomposed.normalize('NFC');
  for (const [chosen, typed] of [
    [composed, decomposed],
    [decomposed, composed],
  ] as const) {
    const username = unusedName();
    expect(
      (await ask('POST', '/auth/register', { body: { username, password: chosen } })).status,
    ).toBe(201);
    expect((await logIn(username, typed)).status).toBe(200);
  }
});

// No database is asked, so one engine is enough.
it.runIf(engine === 'sqlite')('knows any password again, and no other by its hash', async () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.string({ unit: 'grapheme', minLength: 20, maxLength: 80 }),
  );
  const cheap = createPasswordHasher({ ...ctx.settings, bcryptCost: 4 }, ctx.request);
  await fc.assert(
    fc.asyncProperty(text, text, async (one, other) => {
      const hash = await cheap.hash(one);
      expect(hash).toMatch(
        Buffer.byteLength(one.normalize('NFC')) >= 72 || one.includes('\0')
          ? /^\$bcrypt-sha256\$v=2,t=2b,r=4\$/
          : /^\$2b\$04\$/,
      );
      expect(cheap.isStale(hash, one)).toBe(false);
      expect(await cheap.matches(one, hash)).toBe(true);
      expect(await cheap.matches(other, hash)).toBe(
        one.normalize('NFC') === other.normalize('NFC'),
      );
    }),
    runs(),
  );
});

it.each([
  ['of a lower cost', '$2b$04$0l/LBuQqPLGemO1XR5iPZuJU6dIl0uUieuWhDRQ9iN85PaLNdrImS'],
  ['of a lower cost from PHP', '$2y$04$2W8gqRuEIx6EtJtappIh8.gQIccERVw1hyGHc76QR8rvdq8mawKSm'],
  [
    'of a lower cost from passlib',
    '$bcrypt-sha256$v=2,t=2b,r=4$X/0oNf/Re1RldRllOCHeGu$SeO4ArwXi0zXLkCToVKjt.RrBPrASPS',
  ],
  ['of today’s cost from another system', bcrypt.hashSync(password, COST).replace('$2b$', '$2y$')],
])(
  'renews a hash %s when its owner signs in, and not when somebody tries (L-20)',
  async (_what, old) => {
    const user = await imported(old);
    expect((await logIn(user.username, 'not the password')).status).toBe(401);
    expect(await hashOf(user.id)).toBe(old);
    expect((await logIn(user.username)).status).toBe(200);
    const renewed = await hashOf(user.id);
    expect(renewed).toMatch(/^\$2b\$06\$/);
    expect((await logIn(user.username)).status).toBe(200);
    expect(await hashOf(user.id)).toBe(renewed);
  },
);

it('does not put back an old password that was replaced while it was being renewed (L-20)', async () => {
  const user = await imported('$2b$04$0l/LBuQqPLGemO1XR5iPZuJU6dIl0uUieuWhDRQ9iN85PaLNdrImS');
  const replaced = bcrypt.hashSync('a new one, chosen meanwhile', COST);
  const honest = bcrypt.hash.bind(bcrypt) as (plain: string, cost: number) => Promise<string>;
  const slow = vi.spyOn(bcrypt, 'hash').mockImplementation((async (plain: string, cost: number) => {
    await User.update({ passwordHash: replaced }, { where: { id: user.id } });
    return honest(plain, cost);
  }) as never);
  await logIn(user.username);
  expect(slow).toHaveBeenCalledOnce();
  slow.mockRestore();
  expect(await hashOf(user.id)).toBe(replaced);
});

it.each([
  ['cost 4', '$2b$04$0l/LBuQqPLGemO1XR5iPZuJU6dIl0uUieuWhDRQ9iN85PaLNdrImS', ['04', '04', '05']],
  ['cost 5', '$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW', ['05', '05']],
  ['today’s cost', bcrypt.hashSync(password, COST), ['06']],
  ['no hash at all', null, ['06']],
  [
    'passlib’s cost 4',
    '$bcrypt-sha256$v=2,t=2b,r=4$X/0oNf/Re1RldRllOCHeGu$SeO4ArwXi0zXLkCToVKjt.RrBPrASPS',
    ['04', '04', '05'],
  ],
])(
  'works for a wrong password against %s as long as today’s cost takes (L-02)',
  async (_what, hash, costs) => {
    const compare = vi.spyOn(bcrypt, 'compare');
    expect(await passwords.matches('not the password', hash)).toBe(false);
    const worked = compare.mock.calls.map((call) => call[1].slice(4, 6));
    compare.mockRestore();
    expect(worked).toEqual(costs);
    // 2^4 + 2^4 + 2^5 = 2^6
    expect(worked.reduce((sum, cost) => sum + 2 ** Number(cost), 0)).toBe(2 ** COST);
  },
);

// Must be the last: from now on every wrong password costs as much as this hash.
it('leaves a hash of a higher cost as it is', async () => {
  const strong = bcrypt.hashSync(password, COST + 1);
  const user = await imported(strong);
  expect((await logIn(user.username)).status).toBe(200);
  expect(await hashOf(user.id)).toBe(strong);
});
