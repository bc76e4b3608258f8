import { afterEach, describe, expect, it, vi } from 'vitest';
import { lifetimes } from '#src/lifetimes';
import { password, startApp } from '#test/support/app';
import { statusesOf, type Answer } from '#test/support/client';
import { DAY, SECOND, wait } from '#test/support/clock';
import { keyHolder } from '#test/support/dpop';
import {
  COOKIE,
  fromPage,
  heldIn,
  ORIGIN,
  ownPage,
  setCookieOf,
  signInOnPage,
} from '#test/support/refresh-cookie';
import { addApp } from '#test/support/second-factor';

const app = await startApp({ PUBLIC_URL: ORIGIN });
const { ask, ctx, register, Session } = app;
const page = fromPage(ask);
afterEach(() => void vi.useRealTimers());

/** Somebody who has signed in on a page of the server, and the token that their browser holds. */
async function ada() {
  const { id, username } = await register();
  const answer = await signInOnPage(ask, username);
  const token = heldIn(answer);
  return { id, username, answer, token, accessToken: answer.body.accessToken as string };
}
const refresh = (token?: string) => page('POST', '/auth/refresh', token);
const CLEARED = {
  name: COOKIE,
  token: '',
  attributes: [
    'Path=/',
    'Expires=Thu, 01 Jan 1970 00:00:00 GMT',
    'HttpOnly',
    'Secure',
    'SameSite=Strict',
  ],
};
const liveSession = ({ answer }: { answer: Answer }) =>
  Session.count({ where: { id: answer.body.session.id, endedAt: null } });

/** An answer with tokens, whose refresh token is in the cookie alone. */
function expectInCookie(answer: Answer): void {
  const { status, body, text } = answer;
  expect([200, 201], text).toContain(status);
  const cookie = setCookieOf(answer)!;
  expect([cookie.name, cookie.token]).toEqual([COOKIE, expect.stringMatching(/^rt1\.[\w-]+$/)]);
  expect(cookie.attributes).toEqual([
    `Max-Age=${body.refreshExpiresIn}`,
    'Path=/',
    expect.stringMatching(/^Expires=/),
    'HttpOnly',
    'Secure',
    'SameSite=Strict',
  ]);
  expect(Object.keys(body)).toEqual([
    'tokenType',
    'accessToken',
    'expiresIn',
    'refreshExpiresIn',
    'session',
    'user',
  ]);
  expect(text).not.toContain('rt1.');
}

describe('X-Refresh-Token: cookie', () => {
  it('puts the refresh token of a sign-in and a refresh into a cookie, and not into the body', async () => {
    const { answer, token } = await ada();
    expectInCookie(answer);
    const refreshed = await refresh(token);
    expectInCookie(refreshed);
    expect(heldIn(refreshed)).not.toBe(token);
    expectInCookie(await refresh(heldIn(refreshed)));
  });

  it('does so at registration, with a new password, and after a second factor', async () => {
    const names = { username: app.unusedName(), password };
    const registered = await page('POST', '/auth/register', undefined, { body: names });
    expectInCookie(registered);
    const passwords = { currentPassword: password, newPassword: 'another horse battery' };
    const { accessToken: token } = registered.body;
    expectInCookie(await page('PUT', '/me/password', undefined, { token, body: passwords }));

    const bob = await register();
    const { code } = await addApp(ctx, bob);
    const asked = await signInOnPage(ask, bob.username);
    expect([asked.status, asked.body.code]).toEqual([403, 'mfa_required']);
    expect(setCookieOf(asked)).toBeUndefined();
    const { mfaToken } = asked.body;
    expectInCookie(
      await page('POST', '/auth/mfa', undefined, { body: { mfaToken, code: code() } }),
    );
  });

  it('is documented for each route that answers tokens, and for signing out', async () => {
    const { paths = {} } = await app.document();
    const named = Object.entries(paths).flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({ path, method, operation })),
    );
    const answersTokens = named.filter(({ operation }) =>
      JSON.stringify(operation.responses ?? {}).includes('"#/components/schemas/Tokens"'),
    );
    expect(answersTokens.length).toBeGreaterThan(5);
    for (const { path, operation } of [
      ...answersTokens,
      ...named.filter(({ path }) => path === '/auth/logout'),
    ])
      expect(JSON.stringify(operation.parameters), path).toContain('"X-Refresh-Token"');
  });

  it.each(['Cookie', 'body', '', 'cookie, cookie'])(
    'can have no other value: “%s”',
    async (value) => {
      const { username } = await register();
      const { status, body, headers } = await page('POST', '/auth/login', undefined, {
        body: { identifier: username, password },
        headers: { 'x-refresh-token': value },
      });
      expect([status, body.code, headers.getSetCookie()]).toEqual([400, 'invalid_request', []]);
    },
  );

  it('leaves all as it was without it: the cookie is not read, and none is set', async () => {
    const { id, username, token } = await ada();
    const headers = { cookie: `${COOKIE}=${token}`, origin: ORIGIN };
    const refused = await ask('POST', '/auth/refresh', { body: {}, headers });
    expect([refused.status, refused.body.code]).toEqual([400, 'invalid_request']);
    expect(refused.body.errors).toEqual([
      { pointer: '/refreshToken', code: 'required', message: 'This field is required' },
    ]);
    expect((await ask('POST', '/auth/logout', { body: {}, headers })).status).toBe(400);
    expect(await Session.count({ where: { userId: id, endedAt: null } })).toBe(2);
    const other = await ask('POST', '/auth/login', {
      body: { identifier: username, password },
      headers,
    });
    expect(other.body.refreshToken).toMatch(/^rt1\./);
  });
});

describe('POST /auth/refresh with the cookie', () => {
  it('refuses a token in the body besides (B)', async () => {
    const { token } = await ada();
    const both = await page('POST', '/auth/refresh', token, { body: { refreshToken: token } });
    expect([both.status, both.body.errors[0].code]).toEqual([400, 'two_credentials']);
    const alone = await page('POST', '/auth/refresh', undefined, { body: { refreshToken: token } });
    expect(alone.status).toBe(400);
    expectInCookie(await refresh(token));
  });

  it('says that there is no cookie, and that it knows no more', async () => {
    for (const answer of [await refresh(), await refresh('')])
      expect([answer.status, answer.body, setCookieOf(answer)]).toMatchObject([
        400,
        { code: 'invalid_grant', reason: 'missing', sessionStatus: 'unknown' },
        undefined,
      ]);
  });

  it('gives the same token again after a lost answer, and ends the session of a stolen one (R-02)', async () => {
    wait(0);
    const { token, ...more } = await ada();
    const first = heldIn(await refresh(token));
    wait(60 * SECOND);
    const again = await refresh(token);
    expectInCookie(again);
    expect(heldIn(again)).toBe(first);
    await ask('GET', '/me', { token: again.body.accessToken });
    wait((lifetimes.refreshReuseSeconds + 1) * SECOND);
    const stolen = await refresh(token);
    expect([stolen.status, stolen.body.reason]).toEqual([400, 'reused']);
    expect(setCookieOf(stolen)).toEqual(CLEARED);
    expect(await liveSession(more)).toBe(0);
  });

  it('lets 20 tabs refresh at once with one cookie', async () => {
    const { token } = await ada();
    const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(token)));
    for (const answer of answers) expectInCookie(answer);
    expect(new Set(answers.map(heldIn)).size).toBe(1);
    expectInCookie(await refresh(heldIn(answers[0]!)));
  });

  it('clears the cookie of a session that has ended, and keeps it while nothing is known', async () => {
    const unknown = await refresh(`rt1.${'A'.repeat(76)}`);
    expect([unknown.body.reason, setCookieOf(unknown)]).toEqual(['unknown', undefined]);
    const { accessToken, token } = await ada();
    await ask('POST', '/auth/logout', { token: accessToken });
    const revoked = await refresh(token);
    expect([revoked.body.reason, setCookieOf(revoked)]).toEqual(['revoked', CLEARED]);
    const bob = await ada();
    wait(15 * DAY);
    const expired = await refresh(bob.token);
    expect([expired.body.reason, setCookieOf(expired)]).toEqual(['expired', CLEARED]);
  });

  it('works for a session that is bound to a key, with a proof, and keeps the cookie without one', async () => {
    const { username } = await register();
    const key = await keyHolder(ask, ORIGIN);
    const body = { identifier: username, password };
    const signedIn = await key.ask('POST', '/auth/login', { body, headers: ownPage() });
    expectInCookie(signedIn);
    expect(signedIn.body.tokenType).toBe('DPoP');
    const token = heldIn(signedIn);
    const without = await refresh(token);
    expect([without.body.reason, setCookieOf(without)]).toEqual(['key', undefined]);
    const proved = await key.ask('POST', '/auth/refresh', { body: {}, headers: ownPage(token) });
    expectInCookie(proved);
    expect(proved.body.tokenType).toBe('DPoP');
  });
});

describe('POST /auth/logout with the cookie', () => {
  it('ends the session of the cookie and clears it, without an access token', async () => {
    const { token, ...more } = await ada();
    const out = await page('POST', '/auth/logout', token);
    expect([out.status, setCookieOf(out)]).toEqual([204, CLEARED]);
    expect(await liveSession(more)).toBe(0);
  });

  it('ends all of them, if it is told so', async () => {
    const { token, username, ...more } = await ada();
    const other = await signInOnPage(ask, username);
    await page('POST', '/auth/logout', token, { body: { scope: 'all' } });
    expect([await liveSession(more), await liveSession({ answer: other })]).toEqual([0, 0]);
  });

  it.each(['x', '', undefined])('clears a cookie that is no token: %s', async (token) => {
    const out = await page('POST', '/auth/logout', token);
    expect([out.status, setCookieOf(out)]).toEqual([204, CLEARED]);
  });
});

describe('a client that asks too often', () => {
  it('keeps its cookie (429)', async () => {
    const limited = await startApp({
      PUBLIC_URL: ORIGIN,
      LIMITS: 'on',
      LIMIT_REFRESHES_PER_SESSION: '1/1m',
    });
    const { username } = await limited.register();
    const ask = fromPage(limited.ask);
    const token = heldIn(await signInOnPage(limited.ask, username));
    const second = heldIn(await ask('POST', '/auth/refresh', token));
    const refused = await ask('POST', '/auth/refresh', second);
    expect([refused.status, setCookieOf(refused)]).toEqual([429, undefined]);
    const others = [await ask('POST', '/auth/refresh'), await ask('POST', '/auth/refresh', 'x')];
    expect(statusesOf(others)).toEqual([400, 400]);
  });
});

describe('a server on http, at home', () => {
  it('has a cookie without prefix, which needs no TLS', async () => {
    const origin = 'http://localhost:3000';
    const home = await startApp({ PUBLIC_URL: origin });
    const page = fromPage(home.ask, origin);
    const { username } = await home.register();
    const answer = await page('POST', '/auth/login', undefined, {
      body: { identifier: username, password },
    });
    const { name, token, attributes } = setCookieOf(answer)!;
    expect(name).toBe('sallyport-refresh');
    expect(attributes.filter((each) => !/^(Max-Age|Expires)/.test(each))).toEqual([
      'Path=/',
      'HttpOnly',
      'SameSite=Strict',
    ]);
    const refreshed = await page('POST', '/auth/refresh', token);
    expect([refreshed.status, refreshed.body.refreshToken]).toEqual([200, undefined]);
    const planted = { cookie: `__Host-sallyport-refresh=${token}` };
    const other = await page('POST', '/auth/refresh', undefined, { headers: planted });
    expect([other.status, other.body.reason]).toEqual([400, 'missing']);
  });
});
