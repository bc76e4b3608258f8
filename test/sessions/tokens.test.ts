import {
  constants,
  createPrivateKey,
  generateKeyPairSync,
  randomUUID,
  type KeyObject,
} from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { deflateRawSync } from 'node:zlib';
import jwt from 'jsonwebtoken';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { grantRole, revokeRole } from '#src/access/roles';
import { signingKey } from '#src/keys/keyring';
import { openSequelize } from '#src/platform/database/open';
import { password, startApp } from '#test/support/app';
import { setTime } from '#test/support/clock';
import {
  ecdsa,
  encode,
  forge,
  hmac,
  publicKeyAsSecret,
  read,
  rsa,
  thumbprint,
  unsigned,
} from '#test/support/forge';

const { ctx, ask, auth, register, logIn, databaseUrl, Role, Session, User } = await startApp();

// Forged tokens name a live session of an administrator, so a missing check would let them in.
const admin = await register({}, 'admin');
const { header, claims, segments } = read(admin.token);
const [head, payload, signature] = segments;
const genuine = ecdsa(signingKey(ctx).signWith);
const stolen = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const stolenRsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwkOf = (key: KeyObject) => key.export({ format: 'jwk' });

async function expectRefused(token: string, code = 'token_invalid') {
  for (const path of ['/me', '/admin/users']) {
    const { status, body, headers } = await ask('GET', path, { token });
    expect({ path, status, code: body.code }).toEqual({ path, status: 401, code });
    expect(headers.get('www-authenticate')).toMatch(
      /^Bearer realm="sallyport", error="invalid_token"/,
    );
    expect(body.action).toBe(code === 'token_expired' ? 'refresh' : 'sign_in');
  }
}
async function expectLetIn(token: string) {
  expect((await ask('GET', '/me', { token })).body).toMatchObject({ id: admin.id });
}

it('lets in with a token that the tests signed with the real key: what they forge below differs in one thing only', async () => {
  await expectLetIn(forge(header, claims, genuine));
  await expectLetIn(forge(header, { ...claims, jti: randomUUID() }, genuine));
});

describe('signatures', () => {
  it.each(['none', 'None', 'NONE', 'nOnE', 'none ', ' none', 'NonE\u0000', ''])(
    'refuses a token with the algorithm %j, with and without the real signature (J-01, J-02)',
    async (alg) => {
      for (const rest of [
        { typ: 'at+jwt' },
        { typ: 'at+jwt', kid: header['kid'] },
        { typ: 'JWT' },
      ]) {
        await expectRefused(forge({ alg, ...rest }, claims, unsigned));
        await expectRefused(`${encode({ alg, ...rest })}.${payload}.${signature}`);
      }
    },
  );

  it.each([
    ['of a real token', `${head}.${payload}.`],
    ['and its dot', `${head}.${payload}`],
    ['of a token that says HS256', forge({ ...header, alg: 'HS256' }, claims, unsigned)],
    ['of a token without a key id', forge({ ...header, kid: undefined }, claims, unsigned)],
  ])('refuses a token when the signature %s is missing (J-04)', async (_what, token) => {
    await expectRefused(token);
  });

  it('refuses the signature of another token of the same user (J-05)', async () => {
    const { body } = await logIn(admin.username);
    const other = read(body.accessToken).segments;
    await expectRefused(`${head}.${payload}.${other[2]}`);
    await expectRefused(`${head}.${other[1]}.${signature}`);
    await expectLetIn(body.accessToken);
  });

  it.each(['sub', 'sid', 'jti', 'iat', 'exp', 'gen', 'iss', 'aud'])(
    'refuses a token whose payload was changed: %s (J-06)',
    async (name) => {
      const mallory = await register();
      const own = read(mallory.token);
      const value =
        typeof own.claims[name] === 'number'
          ? own.claims[name] + 1
          : name === 'iss' || name === 'aud'
            ? 'else'
            : claims[name];
      await expectRefused(
        `${own.segments[0]}.${encode({ ...own.claims, [name]: value })}.${own.segments[2]}`,
      );
      expect((await mallory.ask('GET', '/me')).status).toBe(200);
    },
  );

  it.each(publicKeyAsSecret(signingKey(ctx).verifyWith))(
    'refuses a token whose MAC has our public key for a secret: %s (J-07)',
    async (_shape, secret) => {
      await expectRefused(forge({ ...header, alg: 'HS256' }, claims, hmac(secret)));
      await expectRefused(forge(header, claims, hmac(secret)));
      await expectRefused(forge({ ...header, alg: 'HS256', kid: undefined }, claims, hmac(secret)));
    },
  );

  it.each(['ES384', 'ES512', 'RS256', 'PS256', 'EdDSA', 'es256', 'ES256K'])(
    'refuses the real signature under the name of another algorithm: %s (J-07)',
    async (alg) => {
      await expectRefused(forge({ ...header, alg }, claims, genuine));
    },
  );

  const ours = header['kid'] as string;
  const ec = jwkOf(stolen.publicKey);
  it.each([
    ['EC, under our key id', { ...header, jwk: ec }, ecdsa(stolen.privateKey)],
    [
      'EC, under its own key id',
      { ...header, jwk: ec, kid: thumbprint(ec) },
      ecdsa(stolen.privateKey),
    ],
    ['EC, without a key id', { ...header, jwk: ec, kid: undefined }, ecdsa(stolen.privateKey)],
    [
      'RSA, under our key id',
      { ...header, alg: 'RS256', jwk: jwkOf(stolenRsa.publicKey) },
      rsa(stolenRsa.privateKey),
    ],
    [
      'symmetric',
      { ...header, alg: 'HS256', jwk: { kty: 'oct', k: encode('k'), kid: ours } },
      hmac('k'),
    ],
    ['our own, and our signature', { ...header, jwk: jwkOf(signingKey(ctx).verifyWith) }, genuine],
  ])('refuses a token that brings its own key: %s (J-09)', async (_what, forged, signer) => {
    await expectRefused(forge(forged, claims, signer));
  });

  it('never fetches a key that a token points at (J-11)', async () => {
    let connections = 0;
    const jwks = JSON.stringify({ keys: [{ ...ec, kid: 'k', alg: 'ES256', use: 'sig' }] });
    const trap = createServer((_req, res) =>
      res.setHeader('Content-Type', 'application/json').end(jwks),
    ).on('connection', () => connections++);
    await new Promise<void>((resolve) => {
      trap.listen(0, '127.0.0.1', resolve);
    });
    try {
      const url = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/jwks.json`;
      for (const name of ['jku', 'x5u', 'kid', 'iss', 'jwks_uri']) {
        const pointing = { ...header, [name]: url };
        for (const signer of [ecdsa(stolen.privateKey), genuine])
          await expectRefused(
            forge(
              name === 'iss' ? header : pointing,
              name === 'iss' ? { ...claims, iss: url } : claims,
              signer,
            ),
          );
        await expectRefused(forge({ ...pointing, kid: 'k' }, claims, ecdsa(stolen.privateKey)));
      }
      await sleep(100);
      expect(connections).toBe(0);
      await fetch(url);
      expect(connections).toBe(1);
    } finally {
      trap.closeAllConnections();
      trap.close();
    }
  });

  it.each([
    '../../../../dev/null',
    '/dev/null',
    'file:///dev/null',
    '../../../../../../proc/self/environ',
    "' OR 1=1-- ",
    '__proto__',
    'constructor',
    'toString',
    '',
    '*',
    `${ours} `,
    ours.toLowerCase(),
  ])('looks a key id up and nothing else: refuses %j (J-13)', async (kid) => {
    for (const secret of ['', '\0', 'secret'])
      await expectRefused(forge({ ...header, alg: 'HS256', kid }, claims, hmac(secret)));
    await expectRefused(forge({ ...header, kid }, claims, genuine));
    await expectRefused(forge({ ...header, kid }, claims, ecdsa(stolen.privateKey)));
  });

  it.each([
    ['a number', 1],
    ['null', null],
    ['a list', [ours]],
    ['an object', { toString: ours }],
    ['missing', undefined],
  ])('refuses a key id that is %s (J-13)', async (_what, kid) => {
    await expectRefused(forge({ ...header, kid }, claims, genuine));
  });

  it('refuses a token that the key of another environment signed (J-31)', async () => {
    await expectRefused(forge(header, claims, ecdsa(stolen.privateKey)));
    await expectRefused(
      forge({ ...header, kid: thumbprint(ec) }, claims, ecdsa(stolen.privateKey)),
    );
    await expectRefused(forge({ ...header, alg: 'RS256' }, claims, rsa(stolenRsa.privateKey)));
    await expectRefused(forge({ ...header, alg: 'HS256' }, claims, hmac('sallyport')));
    await expectRefused(
      forge(
        { ...header, alg: 'PS256' },
        claims,
        rsa(stolenRsa.privateKey, 'sha256', { padding: constants.RSA_PKCS1_PSS_PADDING }),
      ),
    );
  });

  const order = Buffer.from(
    'ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551',
    'hex',
  );
  const zero = Buffer.alloc(32);
  const one = Buffer.concat([Buffer.alloc(31), Buffer.from([1])]);
  const ones = Buffer.alloc(32, 0xff);
  const bytes = Buffer.from(signature, 'base64url');
  const [r, s] = [bytes.subarray(0, 32), bytes.subarray(32)];
  const der = (a: Buffer, b: Buffer) =>
    Buffer.concat([Buffer.from([0x30, 68, 2, 32]), a, Buffer.from([2, 32]), b]);
  it.each([
    ['r = s = 0', [zero, zero]],
    ['r = 0', [zero, s]],
    ['s = 0', [r, zero]],
    ['r = s = n', [order, order]],
    ['r = n', [order, s]],
    ['s = n', [r, order]],
    ['r = s = 1', [one, one]],
    ['r = s = 2^256 - 1', [ones, ones]],
    ['r and s swapped', [s, r]],
    ['64 bytes more', [r, s, zero, zero]],
    ['one byte more', [r, s, Buffer.alloc(1)]],
    ['one byte less', [r, s.subarray(1)]],
    ['DER in place of r and s', [der(r, s)]],
    ['DER of zeros', [der(zero, zero)]],
    ['one zero byte', [Buffer.alloc(1)]],
  ])('refuses an ES256 signature with %s (J-39)', async (_what, parts) => {
    expect(order).toHaveLength(32);
    await expectRefused(`${head}.${payload}.${Buffer.concat(parts).toString('base64url')}`);
  });
});

describe('time', () => {
  const at = (seconds: number) => setTime(ctx, seconds * 1000);
  afterEach(() => {
    vi.useRealTimers();
  });

  it('refuses a token from the second of its `exp` on, with no leeway, and asks for a refresh (J-17)', async () => {
    const { token, ask: as } = await register();
    const exp = read(token).claims['exp'] as number;
    expect(exp).toBe((read(token).claims['iat'] as number) + 600);
    for (const early of [1, 0.001]) {
      at(exp - early);
      expect((await as('GET', '/me')).status).toBe(200);
    }
    for (const late of [0, 0.001, 1, 61, 86_400]) {
      at(exp + late);
      await expectRefused(token, 'token_expired');
    }
    at(exp - 1);
    expect((await as('GET', '/me')).status).toBe(200);
  });

  it.each([0, -1, -61])(
    'refuses a token that it sees for the first time when `exp` is now %i s (J-17)',
    async (delta) => {
      const now = Math.floor(ctx.clock.now() / 1000);
      at(now);
      const inTime = { exp: now + 1, iat: now - 100, jti: randomUUID() };
      await expectLetIn(forge(header, { ...claims, ...inTime }, genuine));
      const late = { exp: now + delta, iat: now - 100, jti: randomUUID() };
      const token = forge(header, { ...claims, ...late }, genuine);
      const { status, body, headers } = await ask('GET', '/me', { token });
      expect(status).toBe(401);
      expect(body).toMatchObject({
        code: 'token_expired',
        action: 'refresh',
        type: '/problems/token_expired',
      });
      expect(headers.get('www-authenticate')).toBe(
        'Bearer realm="sallyport", error="invalid_token", error_description="The access token expired"',
      );
      await expectRefused(token, 'token_expired');
    },
  );

  it('does not say of a forgery that it expired (J-17)', async () => {
    const long = { iat: 1000, exp: 1600 };
    await expectRefused(forge(header, { ...claims, ...long }, genuine), 'token_expired');
    await expectRefused(forge(header, { ...claims, ...long }, ecdsa(stolen.privateKey)));
  });

  it('refuses a token that is not valid yet (J-18)', async () => {
    const now = Math.floor(ctx.clock.now() / 1000);
    for (const nbf of [now + 3600, now + 1, String(now - 60), null])
      await expectRefused(forge(header, { ...claims, nbf }, genuine));
  });
});

describe('claims', () => {
  it('refuses a token without `exp`, although we signed it (J-20)', async () => {
    await expectRefused(forge(header, { ...claims, exp: undefined }, genuine));
  });

  it.each(['9999999999', null, [], [9_999_999_999], {}, true, 9_999_999_999.5, '1e400', -1])(
    'refuses a token whose `exp` is %j, although we signed it (J-21)',
    async (exp) => {
      await expectRefused(forge(header, { ...claims, exp }, genuine));
    },
  );

  it.each(['sub', 'sid', 'jti', 'iat', 'iss', 'aud', 'gen'])(
    'refuses a token without `%s`, or with one of the wrong type, although we signed it (J-22)',
    async (name) => {
      for (const value of [
        undefined,
        null,
        '',
        [],
        {},
        true,
        [claims[name]],
        typeof claims[name] === 'number' ? String(claims[name]) : 7,
      ])
        await expectRefused(forge(header, { ...claims, [name]: value }, genuine));
    },
  );

  it.each([
    ['aud', 'another-api'],
    ['aud', 'Sallyport'],
    ['aud', ['sallyport', 'another-api']],
    ['iss', 'https://staging.example.com'],
    ['iss', `${String(claims['iss'])}/`],
  ])('refuses a token whose `%s` is %j (J-24)', async (name, value) => {
    await expectRefused(forge(header, { ...claims, [name]: value }, genuine));
  });

  it.each([
    ['JWT'],
    ['at+JWT'],
    ['application/at+jwt'],
    ['rt+jwt'],
    ['dpop+jwt'],
    ['id_token'],
    [''],
    [null],
    [undefined],
  ])(
    'takes nothing for an access token whose `typ` is %j, although we signed it (J-26)',
    async (typ) => {
      await expectRefused(forge({ ...header, typ }, claims, genuine));
    },
  );

  it('takes no other secret of ours for an access token (J-26)', async () => {
    const { sid } = claims as { sid: string };
    for (const token of [
      `rt1.${encode(sid)}`,
      `rt1.${payload}.${signature}`,
      sid,
      admin.id,
      String(claims['jti']),
      signature,
      payload,
      head,
    ])
      await expectRefused(token);
  });

  it.each([
    ['crit that we do not know', { crit: ['exp2'], exp2: 1 }],
    ['crit that is empty', { crit: [] }],
    ['crit for b64', { crit: ['b64'], b64: true }],
    ['b64 alone', { b64: false }],
    ['jku', { jku: 'https://attacker.example/jwks.json' }],
    ['x5u', { x5u: 'https://attacker.example/x.pem' }],
    ['x5c', { x5c: ['MIIB'] }],
    ['x5t', { x5t: 'AA' }],
    ['cty', { cty: 'JWT' }],
    ['zip', { zip: 'DEF' }],
    ['enc', { enc: 'A256GCM' }],
    ['anything', { anything: 1 }],
  ])(
    'refuses a token with a header member that we never write: %s (J-28, J-37)',
    async (_what, members) => {
      await expectRefused(forge({ ...header, ...members }, claims, genuine));
    },
  );

  it.each([
    ['roles', ['admin']],
    ['scope', 'admin'],
    ['permissions', ['*']],
    ['nbf', 0],
    ['email', 'a@example.com'],
  ])('refuses a token with a claim that we never write: %s', async (name, value) => {
    await expectRefused(forge(header, { ...claims, [name]: value }, genuine));
  });

  it.each([
    ['a string', 'admin'],
    ['a list', [claims]],
    ['null', null],
    ['a number', 1],
    ['not JSON', '{'],
    ['empty', ''],
  ])('refuses a signed payload that is %s', async (_what, content) => {
    await expectRefused(forge(header, content, genuine));
  });

  it('refuses the session of one user in the name of another', async () => {
    const mallory = await register();
    const own = read(mallory.token).claims;
    await expectRefused(forge(header, { ...own, sub: admin.id }, genuine), 'session_ended');
    await expectRefused(forge(header, { ...claims, sub: mallory.id }, genuine), 'session_ended');
    await expectRefused(forge(header, { ...claims, sid: randomUUID() }, genuine), 'session_ended');
  });
});

describe('forms', () => {
  it.each([8 * 1024, 15 * 1024])(
    'refuses a token of %i characters at once (J-34)',
    async (length) => {
      const big = encode({ ...claims, padding: 'a'.repeat(length) });
      for (const token of [
        'a'.repeat(length),
        '.'.repeat(length),
        `${head}.${big}`.slice(0, length),
        `${head}.${'e30.'.repeat(length)}`.slice(0, length),
      ]) {
        const times: number[] = [];
        for (let i = 0; i < 5; i++) {
          const start = performance.now();
          const { status, body } = await ask('GET', '/me', { token });
          times.push(performance.now() - start);
          expect([status, body.code]).toEqual([401, 'token_invalid']);
        }
        expect(Math.min(...times)).toBeLessThan(250);
      }
    },
  );

  it('refuses a token of 5000 characters that we signed: nothing that long is looked at (J-34)', async () => {
    const parse = vi.spyOn(jwt, 'decode');
    await expectRefused(forge(header, { ...claims, padding: 'a'.repeat(5000) }, genuine));
    expect(parse).not.toHaveBeenCalled();
    parse.mockRestore();
  });

  it.each([
    ['flattened', { payload, protected: head, signature }],
    ['general', { payload, signatures: [{ protected: head, signature }] }],
    ['unprotected header', { payload, header, signature }],
  ])('refuses a token in JSON serialisation: %s (J-36)', async (_what, json) => {
    await expectRefused(JSON.stringify(json));
    await expectRefused(encode(json));
  });

  it('refuses encrypted, nested and compressed tokens (J-37)', async () => {
    const { token } = admin;
    await expectRefused(
      `${encode({ alg: 'dir', enc: 'A256GCM', kid: header['kid'] })}..${encode('initvector12')}.${payload}.${signature}`,
    );
    await expectRefused(`${head}.${payload}.${signature}.${payload}.${signature}`);
    await expectRefused(forge({ ...header, cty: 'JWT' }, token, genuine));
    await expectRefused(forge(header, token, genuine));
    const deflated = `${encode({ ...header, zip: 'DEF' })}.${deflateRawSync(JSON.stringify(claims)).toString('base64url')}`;
    await expectRefused(`${deflated}.${Buffer.from(genuine(deflated)).toString('base64url')}`);
  });

  it.each([
    ['padding', `${head}=.${payload}=.${signature}==`],
    ['a space', `${head}.${payload}.${signature} x`],
    ['a comma and a second token', `${admin.token},${admin.token}`],
    ['a fourth segment', `${admin.token}.`],
    ['an empty header', `.${payload}.${signature}`],
    ['an empty payload', `${head}..${signature}`],
    ['dots only', '..'],
    ['base64 in place of base64url', `${head}.${payload}.${'+/'.repeat(43)}`],
  ])('refuses a token with %s (J-36)', async (_what, token) => {
    await expectRefused(token);
  });
});

describe('any change', () => {
  it('knows one spelling of a signature: of the sixteen last letters for the same bytes it takes ours alone', async () => {
    for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_') {
      const token = admin.token.slice(0, -1) + char;
      expect((await ask('GET', '/me', { token })).status, char).toBe(
        token === admin.token ? 200 : 401,
      );
    }
  });
});

describe('users and sessions behind a token', () => {
  it('refuses the token of a user who was deleted, though it was used before (J-30)', async () => {
    const gone = await register();
    for (let i = 0; i < 2; i++) expect((await gone.ask('GET', '/me')).status).toBe(200);
    expect((await gone.ask('DELETE', '/me', { body: { password } })).status).toBe(204);
    await expectRefused(gone.token, 'session_ended');
  });

  it('refuses the token of a user who is disabled, though it was used before, and when they are back too (J-30)', async () => {
    const { id, username, token, ask: as } = await register({}, 'admin');
    for (let i = 0; i < 2; i++) expect((await as('GET', '/admin/users')).status).toBe(200);
    await auth.users.disable(id);
    await expectRefused(token, 'user_disabled');
    await auth.users.enable(id);
    await expectRefused(token, 'session_ended');
    expect((await logIn(username)).status).toBe(200);
  });

  it.each([
    [
      'disables the user',
      'UPDATE users SET disabled_at = CURRENT_TIMESTAMP WHERE id = $1',
      'user_disabled',
    ],
    [
      'ends the session',
      'UPDATE sessions SET ended_at = CURRENT_TIMESTAMP WHERE user_id = $1',
      'session_ended',
    ],
    ['deletes the session', 'DELETE FROM sessions WHERE user_id = $1', 'session_ended'],
    ['deletes the user', 'DELETE FROM users WHERE id = $1', 'session_ended'],
    [
      'lets the session expire',
      "UPDATE sessions SET expires_at = '2001-01-01 00:00:00.000' WHERE user_id = $1",
      'session_ended',
    ],
  ])(
    'refuses a token on the next request after another process %s (J-30)',
    async (_what, sql, code) => {
      const user = await register();
      for (let i = 0; i < 2; i++) expect((await user.ask('GET', '/me')).status).toBe(200);
      const elsewhere = openSequelize(databaseUrl);
      await elsewhere.query(sql, { bind: [user.id] });
      await expectRefused(user.token, code);
      await elsewhere.close();
    },
  );

  it('checks a signature once, and the session and its roles at each request', async () => {
    const { id, token, ask: as } = await register();
    const user = (await User.findByPk(id))!;
    const role = (await Role.findOne({ where: { name: 'admin' } }))!;
    const check = vi.spyOn(jwt, 'verify');
    const statuses = [];
    for (const change of [undefined, grantRole, revokeRole, grantRole]) {
      await change?.(ctx, user, role);
      for (let i = 0; i < 2; i++) statuses.push((await as('GET', '/admin/users')).status);
    }
    expect(statuses).toEqual([403, 403, 200, 200, 403, 403, 200, 200]);
    expect(check.mock.calls.filter(([text]) => text === token)).toHaveLength(1);
    expect(check).toHaveBeenCalledTimes(1);
    await Session.update({ endedAt: new Date() }, { where: { userId: id } });
    await expectRefused(token, 'session_ended');
    expect(check).toHaveBeenCalledTimes(1);
    check.mockRestore();
  });

  it('remembers no refusal as a success: a forgery is checked each time', async () => {
    const check = vi.spyOn(jwt, 'verify');
    const token = forge(header, claims, ecdsa(stolen.privateKey));
    for (let i = 0; i < 2; i++) await expectRefused(token);
    expect(check).toHaveBeenCalledTimes(4);
    check.mockRestore();
  });
});

describe('what is handed out', () => {
  it('answers a sign-in with exactly the documented members, and stores nothing at the client (L-22)', async () => {
    const { username, tokens } = await register();
    const { body, headers } = await logIn(username);
    for (const answer of [tokens, body]) {
      expect(Object.keys(answer).sort()).toEqual([
        'accessToken',
        'expiresIn',
        'refreshExpiresIn',
        'refreshToken',
        'session',
        'tokenType',
        'user',
      ]);
      expect(Object.keys(answer.session).sort()).toEqual([
        'acr',
        'amr',
        'authTime',
        'createdAt',
        'expiresAt',
        'id',
        'strategy',
      ]);
      expect(Object.keys(answer.user).sort()).toEqual([
        'email',
        'emailVerified',
        'id',
        'name',
        'roles',
        'username',
      ]);
      expect(answer).toMatchObject({
        tokenType: 'Bearer',
        expiresIn: 600,
        refreshExpiresIn: 1_209_600,
        session: { strategy: 'local' },
      });
    }
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('set-cookie')).toBeNull();
    expect(headers.get('authorization')).toBeNull();
  });

  it('puts ids and times into a token and nothing else (G-13)', async () => {
    const { token, id, tokens } = await register(
      { email: 'canary@example.com', name: 'Canary' },
      'moderator',
    );
    const said = read(token);
    expect(said.header).toEqual({ alg: 'ES256', typ: 'at+jwt', kid: signingKey(ctx).kid });
    expect(Object.keys(said.claims).sort()).toEqual([
      'acr',
      'amr',
      'aud',
      'auth_time',
      'exp',
      'gen',
      'iat',
      'iss',
      'jti',
      'sid',
      'sub',
    ]);
    const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(said.claims).toMatchObject({
      aud: 'sallyport',
      sub: id,
      sid: tokens.session.id,
      jti: uuid,
      gen: 0,
    });
    expect(JSON.stringify(said)).not.toMatch(/canary|moderator|role/i);
    expect(Math.abs((said.claims['iat'] as number) - ctx.clock.now() / 1000)).toBeLessThan(60);
  });

  it('never hands out the same token twice', async () => {
    const { username } = await register();
    const given = await Promise.all(Array.from({ length: 10 }, () => logIn(username)));
    for (const name of ['jti', 'sid'])
      expect(new Set(given.map(({ body }) => read(body.accessToken).claims[name])).size).toBe(10);
  });

  it('signs with a key that is on P-256 and known by its thumbprint (J-41)', () => {
    const { kid, verifyWith, signWith } = signingKey(ctx);
    expect(kid).toBe(thumbprint(jwkOf(verifyWith)));
    expect(verifyWith.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' });
    expect(createPrivateKey({ key: signWith.export({ format: 'jwk' }), format: 'jwk' }).type).toBe(
      'private',
    );
  });
});
