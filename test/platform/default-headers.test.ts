import { expect, it } from 'vitest';
import { startApp } from '#test/support/app';

const { url, register } = await startApp();
const { token } = await register();

/** Values that differ from one request to the next. */
const CHANGING = ['x-request-id', 'date', 'content-length', 'content-type'];
const headersOf = async (path: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(url + path, { headers });
  return { answer, headers: Object.fromEntries(answer.headers) };
};

it('gives an answer that sets no header of its own the same ones as a refusal', async () => {
  const quick = await headersOf('/me', { authorization: `Bearer ${token}` });
  const refused = await headersOf('/me');
  expect([quick.answer.status, refused.answer.status]).toEqual([200, 401]);
  const { 'www-authenticate': challenge, ...others } = refused.headers;
  expect(challenge).toBeDefined();
  for (const name of CHANGING) {
    expect(quick.headers[name]).toBeDefined();
    delete quick.headers[name];
    delete others[name];
  }
  expect(Object.keys(quick.headers).length).toBeGreaterThan(10);
  expect(others).toEqual(quick.headers);
});

it('sends each header once', async () => {
  const answer = await fetch(`${url}/livez`);
  const policy = answer.headers.get('content-security-policy')!;
  expect(policy).toBe(
    "default-src 'none';frame-ancestors 'none';base-uri 'none';form-action 'none'",
  );
  expect(answer.headers.get('vary')).toBe('Origin');
  expect(answer.headers.get('cache-control')).toBe('no-store');
});

it('lets a route say otherwise', async () => {
  const { headers } = await headersOf('/.well-known/jwks.json');
  expect(headers['cache-control']).toBe('public, max-age=300');
  const page = await headersOf('/problems/token_expired');
  expect(page.headers['content-security-policy']).toContain('style-src');
});

it('sends text with letters beyond ASCII whole', async () => {
  const { token: own, ...user } = await register();
  const name = 'Zoë Ünïcødé 漢字 🎈';
  const changed = await fetch(`${url}/me`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${own}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name }),
  });
  expect(await changed.json()).toMatchObject({ id: user.id, name });
  const latin = await fetch(`${url}/me`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${own}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'Zoë' }),
  });
  expect(await latin.json()).toMatchObject({ name: 'Zoë' });
});
