import { expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { read } from '#test/support/forge';

const { ask, register } = await startApp({
  ACCESS_TOKEN_TTL: '61',
  REFRESH_ABSOLUTE: '3601',
  PASSWORD_MIN_LENGTH: '12',
  JWT_ISSUER: 'https://issuer.example',
  JWT_AUDIENCE: 'an api',
  PUBLIC_URL: 'https://auth.example',
});
const other = await startApp({
  ACCESS_TOKEN_TTL: '62',
  PUBLIC_URL: 'https://example.com/identity/',
  DIALECTS: '',
});
const local = await startApp({ DIALECTS: '' });
const named = await startApp({ DIALECTS: 'bezkoder', PUBLIC_URL: 'https://auth.example' });

it('issues tokens and sessions for as long, and in the names, that the settings say', async () => {
  const { tokens, token } = await register();
  const { claims } = read(token);
  expect(tokens.expiresIn).toBe(61);
  expect(Number(claims['exp']) - Number(claims['iat'])).toBe(61);
  expect(claims).toMatchObject({ iss: 'https://issuer.example', aud: 'an api' });
  const lifetime = Date.parse(tokens.session.expiresAt) - Date.parse(tokens.session.createdAt);
  expect(Math.abs(lifetime - 3_601_000)).toBeLessThan(1000);
});

it('asks for passwords as long as PASSWORD_MIN_LENGTH', async () => {
  const { status, body } = await ask('POST', '/auth/register', {
    body: { username: 'shorty', password: 'tr0ub4dor&3' },
  });
  expect([status, body.errors[0].code]).toEqual([422, 'too_short']);
  const longer = { username: 'longer', password: 'tr0ub4dor&3x' };
  expect((await ask('POST', '/auth/register', { body: longer })).status).toBe(201);
});

it('names PUBLIC_URL in the API document', async () => {
  expect((await ask('GET', '/openapi.json')).body.servers).toContainEqual(
    expect.objectContaining({ url: 'https://auth.example' }),
  );
});

it('names PUBLIC_URL with its path, in the API document and as the issuer of tokens', async () => {
  expect((await other.ask('GET', '/openapi.json')).body.servers).toContainEqual(
    expect.objectContaining({ url: 'https://example.com/identity' }),
  );
  const { token } = await other.register();
  expect(read(token).claims['iss']).toBe('https://example.com/identity');
});

it('lets two servers in one process have settings of their own', async () => {
  const body = { username: 'shorty', password: 'tr0ub4dor&3' };
  expect((await other.ask('POST', '/auth/register', { body })).status).toBe(201);
  expect((await other.register()).tokens.expiresIn).toBe(62);
  expect((await register()).tokens.expiresIn).toBe(61);
  expect((await ask('POST', '/auth/register', { body })).status).toBe(422);
});

it('has the routes of compatibility adapters only where DIALECTS or its default says so', async () => {
  const statusOf = async ({ url }: typeof local) => (await fetch(`${url}/api/test/all`)).status;
  expect(await statusOf(local)).toBe(200);
  expect(await statusOf(other)).toBe(404);
  expect(await statusOf(named)).toBe(200);
});
