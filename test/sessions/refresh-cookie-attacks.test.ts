import express from 'express';
import { describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import type { Question } from '#test/support/client';
import { callBack, fakeRedirect, REDIRECT_URIS, startAt } from '#test/support/fake-providers';
import { embed } from '#test/support/host';
import { jsonRequest, rawRequest } from '#test/support/raw-socket';
import {
  COOKIE,
  fromPage,
  heldIn,
  ORIGIN,
  ownPage,
  setCookieOf,
  signInOnPage,
} from '#test/support/refresh-cookie';

const ALLOWED = 'https://app.example.com';
const app = await startApp({ PUBLIC_URL: ORIGIN, ALLOWED_ORIGINS: ALLOWED });
const { ask, register, Session, User } = app;
const page = fromPage(ask);

/** Somebody whose browser holds a token in its cookie. */
async function ada() {
  const { id, username } = await register();
  const answer = await signInOnPage(ask, username);
  const sessionId: string = answer.body.session.id;
  const accessToken: string = answer.body.accessToken;
  return { id, username, token: heldIn(answer), sessionId, accessToken };
}
const rowOf = async ({ sessionId }: { sessionId: string }) => {
  const { generation, endedAt } = (await Session.findByPk(sessionId))!;
  return { generation, endedAt };
};
const UNTOUCHED = { generation: 0, endedAt: null };

const FOREIGN: [string, Record<string, string>][] = [
  ['another origin', { origin: 'https://evil.example' }],
  ['an allowed origin', { origin: ALLOWED }],
  ['a sibling domain', { origin: 'https://app.auth.example.com' }],
  ['the domain above', { origin: 'https://example.com' }],
  ['the same host over http', { origin: 'http://auth.example.com' }],
  ['another port', { origin: 'https://auth.example.com:8443' }],
  ['a longer name', { origin: 'https://auth.example.com.evil.example' }],
  ['a path', { origin: `${ORIGIN}/` }],
  ['upper case', { origin: ORIGIN.toUpperCase() }],
  ['two origins', { origin: `${ORIGIN}, https://evil.example` }],
  ['a sandbox', { origin: 'null' }],
  ['an empty origin', { origin: '' }],
  ['a browser that says same-site', { 'sec-fetch-site': 'same-site' }],
  ['a browser that says cross-site', { 'sec-fetch-site': 'cross-site' }],
  ['the address bar', { 'sec-fetch-site': 'none' }],
];
/** What a page sends, without one of its headers. */
const without = (name: string, token: string) =>
  Object.fromEntries(Object.entries(ownPage(token)).filter(([each]) => each !== name));

describe('a request from elsewhere', () => {
  it.each(FOREIGN)('from %s is refused before anything happens (Y-03)', async (_what, headers) => {
    const user = await ada();
    const attempts: [string, string, Question][] = [
      ['POST', '/auth/refresh', {}],
      ['POST', '/auth/logout', { body: { scope: 'all' } }],
      ['POST', '/auth/login', { body: { identifier: user.username, password } }],
      ['POST', '/auth/register', { body: { username: 'planted', password } }],
      [
        'PUT',
        '/me/password',
        {
          token: user.accessToken,
          body: { currentPassword: password, newPassword: 'another horse battery' },
        },
      ],
    ];
    for (const [method, path, question] of attempts) {
      const answer = await page(method, path, user.token, { ...question, headers });
      expect([path, answer.status, answer.body.code, answer.body.action]).toEqual([
        path,
        403,
        'origin_refused',
        'fix_request',
      ]);
      expect(setCookieOf(answer)).toBeUndefined();
      expect(answer.headers.get('access-control-allow-credentials')).toBe(null);
    }
    expect(await rowOf(user)).toEqual(UNTOUCHED);
    expect(await Session.count({ where: { userId: user.id } })).toBe(2);
    expect(await User.count({ where: { username: 'planted' } })).toBe(0);
  });

  it('without Origin is refused, too (Y-03)', async () => {
    const user = await ada();
    for (const path of ['/auth/refresh', '/auth/logout']) {
      const headers = without('origin', user.token);
      const answer = await ask('POST', path, { body: {}, headers });
      expect([answer.status, answer.body.code]).toEqual([403, 'origin_refused']);
    }
    expect(await rowOf(user)).toEqual(UNTOUCHED);
  });

  it('without the header signs nobody out, and is told so', async () => {
    const user = await ada();
    const headers = without('x-refresh-token', user.token);
    const { status, body } = await ask('POST', '/auth/logout', { body: {}, headers });
    expect([status, body.code, body.errors[0].code]).toEqual([400, 'invalid_request', 'required']);
    expect(body.errors[0].message).toContain('X-Refresh-Token: cookie');
    expect(await rowOf(user)).toEqual(UNTOUCHED);
    // Another token, or no cookie of ours, is as it was.
    const others = [
      { headers: { ...headers, cookie: 'sallyport-refresh=x' } },
      { headers, body: { refreshToken: 'rt1.void' } },
      { headers, token: user.accessToken },
    ];
    for (const question of others)
      expect((await ask('POST', '/auth/logout', { body: {}, ...question })).status).toBe(204);
    expect((await rowOf(user)).endedAt).not.toBeNull();
  });

  it('needs no Sec-Fetch-Site: older browsers send none', async () => {
    const { token } = await ada();
    const headers = without('sec-fetch-site', token);
    expect((await ask('POST', '/auth/refresh', { body: {}, headers })).status).toBe(200);
  });

  it('in the form of a simple request is refused (Y-03)', async () => {
    const user = await ada();
    const types = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data'];
    for (const type of types) {
      const headers = { ...ownPage(user.token), 'content-type': type };
      for (const path of ['/auth/refresh', '/auth/logout'])
        expect((await ask('POST', path, { raw: '{}', headers })).status).toBe(415);
    }
    for (const name of ['x-http-method-override', 'x-method-override', 'x-http-method']) {
      const headers = { ...ownPage(user.token), [name]: 'POST' };
      expect((await ask('GET', '/auth/refresh', { headers })).status).toBe(405);
    }
    expect(await rowOf(user)).toEqual(UNTOUCHED);
  });

  it.each(['https://evil.example', ALLOWED])(
    'from %s may not send the header: no browser sends it (Y-03)',
    async (origin) => {
      for (const path of ['/auth/refresh', '/auth/login']) {
        const { headers } = await ask('OPTIONS', path, {
          headers: {
            origin,
            'access-control-request-method': 'POST',
            'access-control-request-headers': 'content-type,x-refresh-token',
          },
        });
        expect(headers.get('access-control-allow-credentials')).toBe(null);
        expect(headers.get('access-control-allow-headers') ?? '').not.toMatch(/x-refresh-token/i);
      }
    },
  );
});

describe('a session of somebody else', () => {
  it('is planted by no other origin: not by signing in, nor by a code (Y-04)', async () => {
    const server = await embed('', (auth) => express().use(auth.router), {
      strategies: [fakeRedirect('idp')],
      redirectUris: REDIRECT_URIS,
      allowedOrigins: ALLOWED,
    });
    const begun = await startAt(server.url, 'idp');
    const { url } = await callBack(begun, `${server.url}/auth/idp/callback`, 'mallory');
    const body = { code: url.searchParams.get('code'), codeVerifier: begun.codeVerifier };
    const from = fromPage(server.ask, server.url);
    const headers = { origin: ALLOWED };
    const planted = await from('POST', '/auth/exchange', undefined, { body, headers });
    expect([planted.status, setCookieOf(planted)]).toEqual([403, undefined]);
    // The code was not spent: whoever began it can go on.
    expect(heldIn(await from('POST', '/auth/exchange', undefined, { body }))).toMatch(/^rt1\./);
  });

  it('does not come without the header: then no cookie is set (Y-04)', async () => {
    const { username } = await register();
    const { headers, status } = await ask('POST', '/auth/login', {
      body: { identifier: username, password },
      headers: { origin: ALLOWED, cookie: `${COOKIE}=x` },
    });
    expect([status, headers.getSetCookie()]).toEqual([200, []]);
  });
});

describe('a cookie that was tossed in', () => {
  it('besides the own one is refused, in any order and for any value (Y-07)', async () => {
    const [user, mallory] = [await ada(), await ada()];
    const own = `${COOKIE}=${user.token}`;
    for (const other of [mallory.token, user.token, '', 'x'])
      for (const cookie of [`${own}; ${COOKIE}=${other}`, `${COOKIE}=${other}; a=b; ${own}`])
        for (const path of ['/auth/refresh', '/auth/logout']) {
          const answer = await page('POST', path, undefined, { headers: { cookie } });
          expect([answer.status, answer.body.errors[0].code]).toEqual([400, 'two_credentials']);
          expect(setCookieOf(answer)).toBeUndefined();
        }
    for (const each of [user, mallory]) expect(await rowOf(each)).toEqual(UNTOUCHED);
  });

  it.each([
    ['without the prefix', 'sallyport-refresh'],
    ['with the other prefix', '__Secure-sallyport-refresh'],
    ['in lower case', COOKIE.toLowerCase()],
    ['in upper case', COOKIE.toUpperCase()],
    ['with an odd space before it', `\u00A0${COOKIE}`],
    ['with a name that is encoded', COOKIE.replace('-', '%2D')],
    ['of the adapter', '__Host-bezkoder-refresh'],
  ])('%s is not read (Y-07)', async (_what, name) => {
    const user = await ada();
    const headers = { cookie: `${name}=${user.token}` };
    const answer = await page('POST', '/auth/refresh', undefined, { headers });
    expect([answer.status, answer.body.reason]).toEqual([400, 'missing']);
    await page('POST', '/auth/logout', undefined, { headers });
    expect(await rowOf(user)).toEqual(UNTOUCHED);
  });

  it('that is too long is refused, before it is looked at (Y-07)', async () => {
    for (const token of ['x'.repeat(1025), `rt1.${'A'.repeat(4000)}`])
      for (const path of ['/auth/refresh', '/auth/logout']) {
        const answer = await page('POST', path, token);
        expect([answer.status, answer.body.errors[0].code]).toEqual([400, 'too_big']);
      }
  });

  it('in a second Cookie header counts as a second cookie (Y-07)', async () => {
    const user = await ada();
    const headers = { ...ownPage(user.token), Cookie: `${COOKIE}=x`, Connection: 'close' };
    const { text } = await rawRequest(app.url, jsonRequest('POST', '/auth/refresh', '{}', headers));
    expect(text).toContain('two_credentials');
    expect(await rowOf(user)).toEqual(UNTOUCHED);
  });

  it('is read by no other route (Y-07)', async () => {
    const user = await ada();
    for (const { method, path } of app.routes) {
      if (['/auth/refresh', '/auth/logout'].includes(path)) continue;
      if (!/^\/(me|auth|admin)/.test(path) || path.includes(':')) continue;
      const headers = ownPage(user.token);
      const answer = await ask(method.toUpperCase(), path, {
        ...(method !== 'get' && { body: {} }),
        headers,
      });
      expect([200, 202, 204].includes(answer.status) && path.startsWith('/me'), path).toBe(false);
    }
    expect(await rowOf(user)).toEqual(UNTOUCHED);
  });
});
