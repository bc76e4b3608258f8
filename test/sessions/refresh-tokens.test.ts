import { createHmac, hkdfSync, randomBytes } from 'node:crypto';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startApp, testSecret } from '#test/support/app';
import { rounds } from '#test/support/rounds';
import { statementsOf } from '#test/support/statements';

const { ask, env, register, Session, User } = await startApp();
const secret = env.APP_SECRET;
const ada = await register();
const bob = await register();
const ownToken: string = ada.tokens.refreshToken;

const PREFIX = 'rt1.';
const bytesOf = (token: string) => Buffer.from(token.slice(PREFIX.length), 'base64url');
const tokenOf = (bytes: Uint8Array) => PREFIX + Buffer.from(bytes).toString('base64url');
const refresh = (refreshToken: unknown) => ask('POST', '/auth/refresh', { body: { refreshToken } });

/** Layout and keys, written independently of the code under test. */
const derived = (appSecret: string, purpose: string) =>
  Buffer.from(hkdfSync('sha256', appSecret, 'sallyport', purpose, 32));
interface Made {
  keyId?: Buffer;
  key?: Buffer;
  sessionId?: string;
  generation?: number;
  hash?: string;
}
function made({
  keyId = derived(secret, 'refresh-token-id').subarray(0, 5),
  key = derived(secret, 'refresh-token'),
  sessionId = ada.tokens.session.id as string,
  generation = 0,
  hash = 'sha256',
}: Made = {}): string {
  const signed = Buffer.concat([
    keyId,
    Buffer.from(sessionId.replaceAll('-', ''), 'hex'),
    Buffer.alloc(4),
  ]);
  signed.writeUInt32BE(generation, 21);
  return tokenOf(
    Buffer.concat([signed, createHmac(hash, key).update(signed).digest().subarray(0, 32)]),
  );
}

const statements = statementsOf(User.sequelize);
beforeEach(() => {
  statements.length = 0;
});

const UNKNOWN = {
  status: 400,
  body: { code: 'invalid_grant', reason: 'unknown', sessionStatus: 'unknown' },
};
const expectUnknown = async (token: string) =>
  expect(await refresh(token), JSON.stringify(token)).toMatchObject(UNKNOWN);
async function expectAllUnknown(tokens: readonly string[]) {
  for (let i = 0; i < tokens.length; i += 20)
    await Promise.all(tokens.slice(i, i + 20).map(expectUnknown));
}

describe('what is no refresh token of ours is unknown, and the database is not asked', () => {
  afterEach(async () => {
    // The worker of the webhooks asks by itself, every few seconds.
    expect(statements.filter((sql) => !sql.includes('`webhooks`'))).toEqual([]);
    expect((await Session.findByPk(ada.tokens.session.id))!.generation).toBe(0);
  });

  it('with any single bit flipped', async () => {
    const bits = Array.from({ length: bytesOf(ownToken).length * 8 }, (_, bit) => {
      const bytes = bytesOf(ownToken);
      bytes[bit >> 3]! ^= 1 << (bit & 7);
      return tokenOf(bytes);
    });
    expect(new Set([...bits, ownToken]).size).toBe(57 * 8 + 1);
    await expectAllUnknown(bits);
  });

  it('cut off anywhere, at either end', async () => {
    const cuts = Array.from({ length: ownToken.length - 1 }, (_, i) => i + 1);
    await expectAllUnknown(cuts.flatMap((at) => [ownToken.slice(0, at), ownToken.slice(at)]));
  });

  it('with something before, behind or in it', async () => {
    const more = [
      'A',
      'AAAA',
      '=',
      '==',
      '.',
      ' ',
      '\n',
      '\r\n',
      '\t',
      '\0',
      '\u200b',
      '\ufeff',
      '%',
      '"',
      'é',
      'rt1.',
      ownToken,
      `.${ownToken}`,
    ];
    const middle = [4, 5, 40, 79];
    await expectAllUnknown(
      more.flatMap((text) => [
        ownToken + text,
        text + ownToken,
        ...middle.map((at) => ownToken.slice(0, at) + text + ownToken.slice(at)),
      ]),
    );
  });

  it('spelt in another base64 or another case, though the bytes are the same', async () => {
    let token = ownToken;
    while (!/-.*_|_.*-/.test(token)) token = (await register()).tokens.refreshToken;
    statements.length = 0;
    const body = token.slice(PREFIX.length);
    const spelt = [
      body.replaceAll('-', '+'),
      body.replaceAll('_', '/'),
      bytesOf(token).toString('base64'),
      bytesOf(token).toString('hex'),
      encodeURIComponent(bytesOf(token).toString('base64')),
      body.toUpperCase(),
      body.toLowerCase(),
    ].filter((text) => text !== body);
    expect(spelt).toHaveLength(7);
    await expectAllUnknown(spelt.map((text) => PREFIX + text));
  });

  it.each([
    '',
    'rt1',
    'rt1..',
    'rt1:',
    'rt1_',
    'RT1.',
    'Rt1.',
    'rt0.',
    'rt2.',
    'rt11.',
    'at1.',
    ' rt1.',
    'Bearer rt1.',
    '\uff52t1.',
    'rt１.',
  ])('with %j before it', (prefix) => expectUnknown(prefix + ownToken.slice(PREFIX.length)));

  it('put together from two genuine ones', async () => {
    const [one, other] = [bytesOf(ownToken), bytesOf(bob.tokens.refreshToken)];
    const cuts = Array.from({ length: 51 }, (_, i) => i + 6);
    const joined = (a: Buffer, b: Buffer) =>
      cuts.map((at) => Buffer.concat([a.subarray(0, at), b.subarray(at)]));
    const genuine = [one, other].map((bytes) => bytes.toString('hex'));
    const mixed = [...joined(one, other), ...joined(other, one)].filter(
      (bytes) => !genuine.includes(bytes.toString('hex')),
    );
    expect(mixed.length).toBeGreaterThan(60); // ids made in one millisecond begin alike
    await expectAllUnknown(mixed.map(tokenOf));
  });

  it('of another server, or under its keys or its key id', async () => {
    const theirs = testSecret();
    const keyId = derived(theirs, 'refresh-token-id').subarray(0, 5);
    const key = derived(theirs, 'refresh-token');
    await expectAllUnknown([made({ keyId, key }), made({ key }), made({ keyId })]);
  });

  it('signed with what is no key for it', async () => {
    const keys = [
      ...['refresh-token-id', 'signing-key', 'refresh-tokens', ''].map((purpose) =>
        derived(secret, purpose),
      ),
      Buffer.from(secret),
      Buffer.from(secret, 'base64url'),
      Buffer.alloc(0),
      Buffer.alloc(32),
      derived(secret, 'refresh-token-id').subarray(0, 5),
    ];
    await expectAllUnknown([
      ...keys.map((key) => made({ key })),
      ...['sha1', 'sha384', 'sha512', 'sha3-256', 'md5'].map((hash) => made({ hash })),
      ...[0, 255].map((byte) =>
        tokenOf(Buffer.concat([bytesOf(ownToken).subarray(0, 25), Buffer.alloc(32, byte)])),
      ),
    ]);
  });

  it('that is an access token (R-12), and a refresh token is no access token', async () => {
    await expectAllUnknown([
      ada.token,
      ...ada.token.split('.'),
      PREFIX + ada.token,
      PREFIX + ada.token.split('.')[2]!,
    ]);
    expect((await ask('GET', '/me', { token: ownToken })).body.code).toBe('token_invalid');
  });

  it('whatever else it is', async () => {
    const replaced = fc
      .tuple(fc.nat(ownToken.length - 1), fc.string({ unit: 'binary', maxLength: 3 }))
      .map(([at, text]) => ownToken.slice(0, at) + text + ownToken.slice(at + 1));
    const bytes = fc.uint8Array({ minLength: 50, maxLength: 64 }).map(tokenOf);
    const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 80 });
    const forged = fc
      .record({
        generation: fc.nat(0xffffffff),
        key: fc.uint8Array({ maxLength: 64 }).map((key) => Buffer.from(key)),
      })
      .map(made);
    await fc.assert(
      fc.asyncProperty(fc.oneof(replaced, bytes, text, forged), async (token) => {
        fc.pre(token !== ownToken);
        await expectUnknown(token);
      }),
      { numRuns: rounds(100, 5000) },
    );
  });
});

describe('a refresh token that we could have made', () => {
  it('is exactly rt1., key id, session, generation and HMAC', async () => {
    expect(ownToken).toBe(made());
    expect(ownToken).toMatch(/^rt1\.[\w-]{76}$/);
    const { body } = await refresh(bob.tokens.refreshToken);
    expect(body.refreshToken).toBe(made({ sessionId: bob.tokens.session.id, generation: 1 }));
  });

  it('for a session that is not there is told from one that is unknown, by one question', async () => {
    const token = made({ sessionId: '00000000-0000-7000-8000-000000000000', generation: 3 });
    expect(await refresh(token)).toMatchObject({
      status: 400,
      body: { code: 'invalid_grant', reason: 'revoked', sessionStatus: 'ended' },
    });
    expect(statements).toHaveLength(1);
  });

  it('says nothing about who else is here: no message tells the token, the session or the user', async () => {
    for (const token of [
      made({ sessionId: bob.tokens.session.id, key: randomBytes(32) }),
      made({ sessionId: '00000000-0000-7000-8000-000000000000' }),
    ]) {
      const { text } = await refresh(token);
      for (const canary of [token, token.slice(4), bob.tokens.session.id, bob.id, bob.username])
        expect(text).not.toContain(canary);
    }
  });
});
