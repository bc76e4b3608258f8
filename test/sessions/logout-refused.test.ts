import { createHmac, generateKeyPairSync, hkdfSync, randomBytes } from 'node:crypto';
import { parse } from 'uuid';
import { describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { ecdsa, encode, forge, hmac, read, thumbprint, unsigned } from '#test/support/forge';
import { rawRequest } from '#test/support/raw-socket';
import { IN, OUT, worth, type Tokens } from '#test/support/worth';

const { ctx, ask, env, url, register, logIn, Session } = await startApp();

const ada = await register();
const held = [ada.tokens, (await logIn(ada.username)).body, (await logIn(ada.username)).body] as [
  Tokens,
  Tokens,
  Tokens,
];
const worths = async () => [
  await worth(ask, held[0]),
  await worth(ask, held[1]),
  await worth(ask, held[2]),
];

const ended: unknown[] = [];
ctx.events.on('session.ended', (event) => ended.push(event));
async function expectSignedOut(question: Parameters<typeof ask>[2]) {
  expect(await ask('POST', '/auth/logout', question)).toMatchObject({ status: 204, text: '' });
}

/** Makes a refresh token independently of the code under test. */
function refreshTokenUnder(secret: string, session: string, generation = 0): string {
  const key = (purpose: string) =>
    Buffer.from(hkdfSync('sha256', secret, 'sallyport', purpose, 32));
  const signed = Buffer.concat([
    key('refresh-token-id').subarray(0, 5),
    parse(session),
    Buffer.alloc(4),
  ]);
  signed.writeUInt32BE(generation, 21);
  const mac = createHmac('sha256', key('refresh-token')).update(signed).digest();
  return `rt1.${Buffer.concat([signed, mac]).toString('base64url')}`;
}
const flip = (token: string, at: number) =>
  token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);

describe('POST /auth/logout ends nothing', () => {
  const [{ accessToken: token, refreshToken, session }] = held;
  const { header, claims, segments } = read(token);
  const secret = env.APP_SECRET;
  const foreign = randomBytes(32).toString('base64url');
  const stolen = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const theirs = thumbprint(stolen.publicKey.export({ format: 'jwk' }));

  /** No event and no write. The last tests check that the tokens still work. */
  async function expectNothingEnded() {
    expect(ended).toEqual([]);
    expect(await Session.count({ where: { userId: ada.id, endedAt: null } })).toBe(3);
  }
  async function expectNothing(question: {
    token?: string;
    headers?: Record<string, string>;
    refreshToken?: string;
  }) {
    const { refreshToken, ...rest } = question;
    for (const scope of ['session', 'others', 'all'])
      await expectSignedOut({ ...rest, body: { refreshToken, scope } });
    await expectNothingEnded();
  }

  it.each([
    ['a scope that is not known', { refreshToken, scope: 'everywhere' }],
    ['a scope that is null', { refreshToken, scope: null }],
    ['a scope that is a list', { refreshToken, scope: ['all'] }],
    ['a refresh token that is null', { refreshToken: null, scope: 'all' }],
    ['an empty refresh token', { refreshToken: '' }],
    ['a refresh token in a list', { refreshToken: [refreshToken] }],
    ['a refresh token in an object', { refreshToken: { $ne: refreshToken } }],
    ['a refresh token of 1025 characters', { refreshToken: 'x'.repeat(1025) }],
    ['a field that is not known', { refreshToken, all: true }],
    ['a list', [{ refreshToken }]],
    ['a text', refreshToken],
  ])('and refuses %s', async (_what, body) => {
    expect(await ask('POST', '/auth/logout', { token, body })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request' },
    });
    await expectNothingEnded();
  });

  const genuine = Buffer.from(refreshTokenUnder(secret, session.id).slice(4), 'base64url');
  const other = Buffer.from(refreshTokenUnder(foreign, session.id).slice(4), 'base64url');
  it.each<[string, string]>([
    ['of another server', refreshTokenUnder(foreign, session.id)],
    [
      'with our key id and a MAC under another secret',
      `rt1.${Buffer.concat([genuine.subarray(0, 25), other.subarray(25)]).toString('base64url')}`,
    ],
    ['of no length', 'rt1.'],
    ['that is only a session id', session.id],
    ['that is only an encoded session id', `rt1.${encode(session.id)}`],
    ['of another version', `rt2.${refreshToken.slice(4)}`],
    ['that was padded', `${refreshToken}=`],
    ['with one letter more', `${refreshToken}A`],
    ...[4, 12, 20, 36, 50, 76].map(
      (at) => [`with letter ${at} changed`, flip(refreshToken, at)] as [string, string],
    ),
  ])('for a refresh token %s', async (_what, forged) => {
    await expectNothing({ refreshToken: forged });
  });

  it('though the tests know how a refresh token is made', () => {
    expect(refreshTokenUnder(secret, session.id)).toBe(refreshToken);
  });

  it.each([
    ['without a signature', forge({ ...header, alg: 'none' }, claims, unsigned)],
    ['signed with another key', forge(header, claims, ecdsa(stolen.privateKey))],
    ['of another server', forge({ ...header, kid: theirs }, claims, ecdsa(stolen.privateKey))],
    ['with a MAC', forge({ ...header, alg: 'HS256' }, claims, hmac('secret'))],
    ['with a letter changed', `${segments[0]}.${segments[1]}.${flip(segments[2], 40)}`],
    ['with other claims', `${segments[0]}.${encode({ ...claims, gen: 1 })}.${segments[2]}`],
    ['of two segments', `${segments[0]}.${segments[1]}`],
    ['of one word', 'nonsense'],
  ])('for an access token %s', async (_what, forged) => {
    await expectNothing({ token: forged });
  });

  it.each([
    'Bearer',
    'Bearer ',
    'Bearer  TOKEN',
    'Bearer TOKEN x',
    'Bearer TOKEN,TOKEN',
    'Basic TOKEN',
    'Token TOKEN',
    'TOKEN',
    'Bearer=TOKEN',
  ])('for the header Authorization: %s', async (form) => {
    await expectNothing({ headers: { authorization: form.replaceAll('TOKEN', token) } });
  });

  it('for two Authorization headers', async () => {
    const line = `Authorization: Bearer ${token}`;
    const { answers } = await rawRequest(
      url,
      `POST /auth/logout HTTP/1.1\r\nHost: x\r\n${line}\r\n${line}\r\nContent-Length: 0\r\n\r\n`,
    );
    expect(answers.map(({ status }) => status)).toEqual([204]);
    await expectNothingEnded();
  });

  it('without any token', async () => {
    await expectSignedOut({});
    await expectNothing({});
    expect(await worths()).toEqual([IN, IN, IN]);
  });

  it('for the tokens of a session that has ended, and emits no event (V-02)', async () => {
    await expectSignedOut({ token, body: { refreshToken } });
    ended.length = 0;
    for (const dead of [{ token }, { refreshToken }, { token, refreshToken }])
      for (const scope of ['session', 'others', 'all'])
        await expectSignedOut({
          token: dead.token,
          body: { scope, refreshToken: dead.refreshToken },
        });
    expect(ended).toEqual([]);
    expect(await worths()).toEqual([OUT, IN, IN]);
  });
});
