import express from 'express';
import { calculateJwkThumbprint, generateKeyPair } from 'jose';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { lifetimes } from '#src/lifetimes';
import { serve } from '#src/server-program';
import { password, startApp } from '#test/support/app';
import { clientOf } from '#test/support/client';
import { setTime } from '#test/support/clock';
import { keyHolder } from '#test/support/dpop';
import { addApp } from '#test/support/second-factor';
import { embed } from '#test/support/host';
import { rawRequest } from '#test/support/raw-socket';
import { formOf } from '#test/support/services';
import { statementsOf } from '#test/support/statements';

const app = await startApp({ API_KEYS: 'on' });
const { auth, ask, ctx, env, register, Session } = app;
const base = ctx.settings.publicUrl;
const holder = () => keyHolder(ask, base);
const made = await auth.services.create({ name: 'billing', scopes: ['introspect'] });
const billing = { id: made.service.id, secret: made.secret };

/** Somebody who has signed in with a key. */
async function bound(client = holder()) {
  const { username, id } = await register();
  const key = await client;
  const body = { identifier: username, password };
  const { status, body: tokens, text } = await key.ask('POST', '/auth/login', { body });
  expect(status, text).toBe(200);
  const token: string = tokens.accessToken;
  return { ...key, id, username, tokens, token };
}

describe('a sign-in with a proof', () => {
  it('gives tokens that are bound to its key', async () => {
    const ada = await bound();
    expect(ada.tokens.tokenType).toBe('DPoP');
    const jkt = await calculateJwkThumbprint(ada.jwk);
    const { cnf } = JSON.parse(Buffer.from(ada.token.split('.')[1]!, 'base64url').toString());
    expect(cnf).toEqual({ jkt });
    const { status, body, headers } = await ada.ask('GET', '/me', { token: ada.token });
    expect([status, body.id]).toEqual([200, ada.id]);
    expect(headers.get('dpop-nonce')).toMatch(/^[\w-]{27}$/);
    const { body: told } = await ask(
      'POST',
      '/oauth/introspect',
      formOf(billing, { token: ada.token }),
    );
    expect(told).toMatchObject({ active: true, token_type: 'DPoP', cnf: { jkt } });
  });

  it('is told the nonce first, and spends nothing until then', async () => {
    const { username } = await register();
    const key = await holder();
    const dpop = await key.proof('POST', '/auth/login');
    const refused = await ask('POST', '/auth/login', {
      body: { identifier: username, password: 'wrong' },
      headers: { dpop },
    });
    expect([refused.status, refused.body.code]).toEqual([401, 'use_dpop_nonce']);
    expect(refused.headers.get('www-authenticate')).toContain('error="use_dpop_nonce"');
    expect(refused.headers.get('dpop-nonce')).toMatch(/^[\w-]{27}$/);
  });

  it.each(['ES384', 'EdDSA', 'PS256', 'RS256'])('takes a key for %s', async (alg) => {
    const ada = await bound(keyHolder(ask, base, alg));
    expect((await ada.ask('GET', '/me', { token: ada.token })).status).toBe(200);
  });

  it('binds the session that follows another password, and one of registration', async () => {
    const ada = await bound();
    const body = { currentPassword: password, newPassword: 'another horse battery' };
    const changed = await ada.ask('PUT', '/me/password', { token: ada.token, body });
    expect(changed.body.tokenType).toBe('DPoP');
    const names = { username: app.unusedName(), password };
    const { body: tokens } = await ada.ask('POST', '/auth/register', { body: names });
    expect((await ada.ask('GET', '/me', { token: tokens.accessToken })).status).toBe(200);
  });

  it('goes on with the second factor by the same key only (M-07)', async () => {
    const ada = await bound();
    const { code } = await addApp(ctx, {
      ask: (method, path, question = {}) =>
        ada.ask(method, path, { token: ada.token, ...question }),
    });
    const body = { identifier: ada.username, password };
    const { mfaToken } = (await ada.ask('POST', '/auth/login', { body })).body;
    const answer = { body: { mfaToken, code: code() } };
    const other = await holder();
    for (const refused of [
      await ask('POST', '/auth/mfa', answer),
      await other.ask('POST', '/auth/mfa', answer),
    ])
      expect([refused.status, refused.body.code]).toEqual([401, 'invalid_dpop_proof']);
    const done = await ada.ask('POST', '/auth/mfa', answer);
    expect(done.body.tokenType).toBe('DPoP');
  });
});

describe('a proof in a request with an Authorization header', () => {
  it.each(['Basic eDp5', 'Bearer x', 'DPoP x'])('is taken with %s', async (authorization) => {
    const { username } = await register();
    const key = await holder();
    const body = { identifier: username, password };
    const headers = { authorization };
    const { body: tokens } = await key.ask('POST', '/auth/login', { body, headers });
    expect(tokens.tokenType).toBe('DPoP');
    const refresh = { body: { refreshToken: tokens.refreshToken }, headers };
    expect((await key.ask('POST', '/auth/refresh', refresh)).body.tokenType).toBe('DPoP');
  });
});

describe('a proof that is not needed', () => {
  const proofs = () => app.OneTimeToken.count({ where: { purpose: 'dpop proof' } });

  it('is not spent', async () => {
    const ada = await bound();
    const before = await proofs();
    for (const [path, question] of [
      ['/auth/unknown', { body: {} }],
      ['/auth/login', { body: { identifier: '' } }],
      ['/auth/password/forgot', { body: { email: 'ada@example.com' } }],
      ['/auth/logout', { body: {} }],
      ['/oauth/token', formOf(undefined, { grant_type: 'password' })],
      ['/oauth/token', formOf(billing, { grant_type: 'client_credentials' })],
    ] as const)
      await ada.ask('POST', path, question);
    expect(await proofs()).toBe(before);
  });
});

it('a stranger from a full network writes nothing with proofs', async () => {
  const full = await startApp({
    LIMITS: 'on',
    LIMIT_REQUESTS_PER_NETWORK: '30/1h',
    LIMIT_SIGN_INS_PER_NETWORK: '2/1h',
    LIMIT_CODES_PER_NETWORK: '2/1h',
    LIMIT_SIGN_UPS_PER_NETWORK: '2/1h',
  });
  const key = await keyHolder(full.ask, full.ctx.settings.publicUrl);
  const code = { code: 'x', codeVerifier: 'x'.repeat(43) };
  const user = () => ({ username: full.unusedName(), password });
  const ways: [path: string, body: () => object][] = [
    ['/auth/login', () => ({ identifier: 'nobody', password })],
    ['/auth/exchange', () => code],
    ['/auth/register', user],
  ];
  const proofs = () => full.OneTimeToken.count({ where: { purpose: 'dpop proof' } });
  for (const [path, body] of ways) {
    // The first is asked for a nonce, which is not counted.
    for (let i = 0; i < 2; i++)
      expect((await key.ask('POST', path, { body: body() })).status, path).not.toBe(429);
    const before = await proofs();
    for (let i = 0; i < 2; i++)
      expect((await key.ask('POST', path, { body: body() })).status, path).toBe(429);
    expect(await proofs()).toBe(before);
  }
  while ((await full.ask('GET', '/auth/strategies')).status === 200);
  const before = await proofs();
  const form = (grant: string) =>
    formOf(undefined, { grant_type: grant, refresh_token: 'x', code: 'x' });
  for (const [path, question] of [
    ['/auth/refresh', { body: { refreshToken: 'x' } }],
    ['/oauth/token', form('refresh_token')],
    ['/oauth/token', form('authorization_code')],
    ['/oauth/token', form('unknown')],
  ] as const)
    expect((await key.ask('POST', path, question)).status, path).toBe(429);
  expect(await proofs()).toBe(before);
});

it('in a host app, a proof for another origin is refused, also if the target names that origin', async () => {
  const hosted = await embed('/v1', (auth) =>
    express()
      .use('/v1', auth.router)
      .get('/mine', auth.authenticate(), (_req, res) => void res.json({}))
      .use(auth.errorHandler),
  );
  const key = await keyHolder(hosted.ask, hosted.url);
  const body = { username: app.unusedName(), password };
  const { accessToken: token } = (await key.ask('POST', '/v1/auth/register', { body })).body;
  const theirs = 'http://evil.example/mine';
  const asked = async (target: string, htu: string) => {
    const dpop = await key.proof('GET', '/mine', token, { claims: { htu } });
    const lines = ['Host: x', `Authorization: DPoP ${token}`, `DPoP: ${dpop}`];
    const bytes = `GET ${target} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`;
    const { status, body: text, headers } = (await rawRequest(hosted.url, bytes)).answers[0]!;
    return { status, code: JSON.parse(text).code, challenge: headers.get('www-authenticate') };
  };
  expect((await asked('/mine', `${hosted.url}/mine`)).status).toBe(200);
  expect((await asked(theirs, `${hosted.url}/mine`)).status).toBe(200);
  expect((await asked(theirs, `${hosted.url}/v1/mine`)).status).toBe(200);
  for (const target of [theirs, '/mine']) {
    const { status, code, challenge } = await asked(target, theirs);
    expect([status, code]).toEqual([401, 'invalid_dpop_proof']);
    expect(challenge).toMatch(/^DPoP .*error="invalid_dpop_proof", algs="ES256 /);
  }
});

describe('a bound access token (Q-07)', () => {
  it('is refused as Bearer, with and without a proof, and everywhere else', async () => {
    const ada = await bound();
    for (let i = 0; i < 3; i++) await ada.ask('GET', '/me', { token: ada.token }); // it is known
    const dpop = await ada.proof('GET', '/me', ada.token);
    const bearer = { authorization: `Bearer ${ada.token}` };
    for (const headers of [bearer, { ...bearer, dpop }]) {
      const { status, body } = await ask('GET', '/me', { headers });
      expect([status, body.code]).toEqual([401, 'invalid_dpop_proof']);
    }
    const none = await ask('GET', '/me', { headers: { authorization: `DPoP ${ada.token}` } });
    expect(none.body.code).toBe('invalid_dpop_proof');
    const again = await ask('POST', '/auth/reauthenticate', {
      headers: { ...bearer, dpop: await ada.proof('POST', '/auth/reauthenticate') },
      body: { password },
    });
    expect(again.body.code).toBe('invalid_dpop_proof');
  });

  it('is good for what the proof is for, and for nothing else', async () => {
    const [ada, bob] = [await bound(), await bound()];
    const { privateKey } = await generateKeyPair('ES256');
    const proofs = await Promise.all([
      ada.proof('POST', '/me', ada.token),
      ada.proof('GET', '/me/sessions', ada.token),
      ada.proof('GET', '/me', bob.token),
      ada.proof('GET', '/me'),
      bob.proof('GET', '/me', ada.token),
      ada.proof('GET', '/me', ada.token, { signWith: privateKey }),
      ada.proof('GET', '/me', ada.token, { claims: { htu: 'https://evil.example/me' } }),
      ada.proof('GET', '/me', ada.token, { claims: { htu: '/me' } }),
      ada.proof('GET', '/me', ada.token, { claims: { htu: ['x'] } }),
      ada.proof('GET', '/me', ada.token, { claims: { jti: undefined } }),
      ada.proof('GET', '/me', ada.token, { claims: { jti: '' } }),
      ada.proof('GET', '/me', ada.token, { claims: { jti: 'x'.repeat(257) } }),
      ada.proof('GET', '/me', ada.token, { claims: { iat: undefined } }),
      ada.proof('GET', '/me', ada.token, { claims: { exp: 1 } }),
      ada.proof('GET', '/me', ada.token, { header: { typ: 'JWT' } }),
      ada.proof('GET', '/me', ada.token, { header: { jwk: ada.secretJwk } }),
      ada.proof('GET', '/me', ada.token, { header: { jwk: bob.jwk } }),
      ada.proof('GET', '/me', ada.token, { header: { jwk: undefined } }),
      ada.proof('GET', '/me', ada.token, { header: { jwk: { kty: 'oct', k: 'AAAA' } } }),
      ada.proof('GET', '/me', ada.token, {
        header: { alg: 'HS256', jwk: { kty: 'oct', k: 'x'.repeat(43) } },
        signWith: Buffer.from('x'.repeat(43), 'base64url'),
      }),
    ]);
    const right = await ada.proof('GET', '/me', ada.token);
    const [, payload, signature] = right.split('.');
    const coded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const unsigned = coded({ typ: 'dpop+jwt', alg: 'none', jwk: ada.jwk });
    const more = [
      `${unsigned}.${payload}.`,
      `${unsigned}.${payload}.${signature}`,
      right.slice(0, -4),
      'x',
      '',
      'x'.repeat(6000),
      `${right}, ${right}`,
    ];
    const details: string[] = [];
    for (const [i, dpop] of [...proofs, ...more].entries()) {
      const headers = { authorization: `DPoP ${ada.token}`, dpop };
      const { status, body, text } = await ask('GET', '/me', { headers });
      expect([status, body.code], String(i)).toEqual([401, 'invalid_dpop_proof']);
      expect(text).not.toContain(ada.token);
      details.push(body.detail);
    }
    const said = [
      'htm',
      'htu',
      'ath',
      'ath',
      'key',
      'signature',
      'htu',
      'htu',
      'htu',
      'jti',
      'jti',
    ];
    said.push('jti', 'iat', 'exp', 'typ', 'jwk', 'signature', 'jwk', 'jwk', 'alg', 'alg', 'alg');
    for (const [i, word] of said.entries()) expect(details[i], `${i}`).toContain(word);
    expect(details.every((detail) => /^(The|This) .{10,80}$/.test(detail))).toBe(true);
    const headers = { authorization: `DPoP ${ada.token}`, dpop: right };
    expect((await ask('GET', '/me?x=1', { headers })).status).toBe(400);
  });

  it('wants a nonce of this server that is five minutes old at most', async () => {
    const [ada, other] = [await bound(), await startApp()];
    const { headers } = await other.ask('POST', '/auth/login', {
      headers: { dpop: await ada.proof('POST', '/auth/login') },
      body: { identifier: ada.username, password },
    });
    const nonces = [
      '',
      'x',
      headers.get('dpop-nonce'),
      `${ada.known.nonce}x`,
      undefined,
      'A'.repeat(27),
    ];
    for (const nonce of nonces) {
      const dpop = await ada.proof('GET', '/me', ada.token, { claims: { nonce } });
      const sent = { authorization: `DPoP ${ada.token}`, dpop };
      expect((await ask('GET', '/me', { headers: sent })).body.code).toBe('use_dpop_nonce');
    }
    const dpop = await ada.proof('GET', '/me', ada.token);
    setTime(ctx, ctx.clock.now() + lifetimes.dpopNonceSeconds * 1000);
    const sent = { authorization: `DPoP ${ada.token}`, dpop };
    expect((await ask('GET', '/me', { headers: sent })).body.code).toBe('use_dpop_nonce');
    expect((await ada.ask('GET', '/me', { token: ada.token })).status).toBe(200);
    vi.useRealTimers();
  });

  it('may be of a device whose clock is wrong', async () => {
    const ada = await bound();
    for (const days of [-2, 2]) {
      const iat = Math.floor(Date.now() / 1000) + days * 86_400;
      const dpop = await ada.proof('GET', '/me', ada.token, { claims: { iat } });
      const headers = { authorization: `DPoP ${ada.token}`, dpop };
      expect((await ask('GET', '/me', { headers })).status).toBe(200);
    }
  });

  it('is let in once with one proof, on all nodes together', async () => {
    const ada = await bound();
    const there = await serve(env);
    onTestFinished(() => there.stop());
    const headers = {
      authorization: `DPoP ${ada.token}`,
      dpop: await ada.proof('GET', '/me', ada.token),
    };
    const elsewhere = clientOf(there.url);
    const answers = await Promise.all(
      [ask, elsewhere, ask, elsewhere, ask].map((asked) => asked('GET', '/me', { headers })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(answers.filter(({ body }) => body.code === 'invalid_dpop_proof')).toHaveLength(4);
  });

  it('and the scheme DPoP goes with no other token', async () => {
    const ada = await register();
    const key = await bound();
    const { body } = await key.ask('GET', '/me', { token: ada.token });
    expect(body.code).toBe('invalid_dpop_proof');
    expect((await ada.ask('GET', '/me', { headers: { dpop: 'x' } })).status).toBe(200);
  });
});

describe('a bound refresh token', () => {
  const refreshes = (refreshToken: string) => ({ body: { refreshToken } });

  it('is good with its key only, and ends nothing without it', async () => {
    const ada = await bound();
    const thief = await holder();
    const { refreshToken } = ada.tokens;
    for (const stolen of [
      await ask('POST', '/auth/refresh', refreshes(refreshToken)),
      await thief.ask('POST', '/auth/refresh', refreshes(refreshToken)),
    ])
      expect([stolen.status, stolen.body]).toEqual([
        400,
        expect.objectContaining({ code: 'invalid_grant', reason: 'key', sessionStatus: 'unknown' }),
      ]);
    const first = await ada.ask('POST', '/auth/refresh', refreshes(refreshToken));
    expect([first.status, first.body.tokenType]).toEqual([200, 'DPoP']);
    const second = await ada.ask('POST', '/auth/refresh', refreshes(first.body.refreshToken));
    await ada.ask('GET', '/me', { token: second.body.accessToken });
    // Replaced long ago: with the key it would be a replay that ends the session.
    await Session.update({ rotatedAt: new Date(0) }, { where: { id: ada.tokens.session.id } });
    await thief.ask('POST', '/auth/refresh', refreshes(refreshToken));
    expect((await ada.ask('GET', '/me', { token: second.body.accessToken })).status).toBe(200);
    const replayed = await ada.ask('POST', '/auth/refresh', refreshes(refreshToken));
    expect(replayed.body).toMatchObject({ reason: 'reused', sessionStatus: 'ended' });
  });

  it('is refreshed at the token endpoint, too, in the form of OAuth', async () => {
    const ada = await bound();
    const { headers, raw } = formOf(undefined, {
      grant_type: 'refresh_token',
      refresh_token: ada.tokens.refreshToken,
    });
    const stolen = await ask('POST', '/oauth/token', { headers: headers!, raw: raw! });
    expect([stolen.status, stolen.body.error]).toEqual([400, 'invalid_grant']);
    const dpop = await ada.proof('POST', '/oauth/token', undefined, { claims: { nonce: 'x' } });
    const question = { headers: { ...headers, dpop }, raw: raw! };
    const without = await ask('POST', '/oauth/token', question);
    expect([without.status, without.body.error]).toEqual([400, 'use_dpop_nonce']);
    const { status, body } = await ada.ask('POST', '/oauth/token', {
      headers: headers!,
      raw: raw!,
    });
    expect([status, body.token_type]).toEqual([200, 'DPoP']);
    expect((await ada.ask('GET', '/me', { token: body.access_token })).status).toBe(200);
  });

  it('ends its session for whoever signs out with it', async () => {
    const ada = await bound();
    await ask('POST', '/auth/logout', { body: { refreshToken: ada.tokens.refreshToken } });
    const { body } = await ada.ask('GET', '/me', { token: ada.token });
    expect(body.code).toBe('session_ended');
  });
});

it('tells clients of a tutorial that their tokens are not bound to a key', async () => {
  const old = await startApp({ DIALECTS: 'bezkoder' });
  const { username } = await old.register();
  const signIn = (more: Record<string, string>) =>
    fetch(`${old.url}/api/auth/signin`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...more },
      body: JSON.stringify({ username, password }),
    });
  const refused = await signIn({ dpop: 'x' });
  expect([refused.status, await refused.json()]).toEqual([
    400,
    { message: expect.stringContaining('leave out the header DPoP') },
  ]);
  expect((await signIn({})).status).toBe(200);
});

describe('the price', () => {
  it('is one statement for each proof, and none for a request without', async () => {
    const [ada, bob] = [await bound(), await register()];
    await ada.ask('GET', '/me', { token: ada.token });
    await bob.ask('GET', '/me');
    await ada.ask('GET', '/me', { token: ada.token });
    const statements = statementsOf(app.User.sequelize);
    await ada.ask('GET', '/me', { token: ada.token });
    expect(statements.filter((sql) => /INSERT INTO .?one_time_tokens/.test(sql))).toHaveLength(1);
    statements.length = 0;
    await bob.ask('GET', '/me');
    expect(statements.filter((sql) => /one_time_tokens/.test(sql))).toEqual([]);
  });
});
