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

it('issues tokens and sessions for as long, and in the names, that the settings say', async () => {
  const { tokens, token } = await register();
  const { claims } = read(token);
  expect(tokens.expiresIn).toBe(61);
  expect(Number(claims['exp']) - Number(claims['iat'])).toBe(61);
  expect(claims).toMatchObject({ iss: 'https://issuer.example', aud: 'an api' });
  const life = Date.parse(tokens.session.expiresAt) - Date.parse(tokens.session.createdAt);
  expect(Math.abs(life - 3_601_000)).toBeLessThan(1000);
});

it('asks for passwords as long as PASSWORD_MIN_LENGTH', async () => {
  const { status, body } = await ask('POST', '/auth/register', { body: { username: 'shorty', password: 'tr0ub4dor&3' } });
  expect([status, body.errors[0].code]).toEqual([422, 'too_short']);
  expect((await ask('POST', '/auth/register', { body: { username: 'longer', password: 'tr0ub4dor&3x' } })).status).toBe(201);
});

it('names PUBLIC_URL in the API document', async () => {
  expect((await ask('GET', '/openapi.json')).body.servers).toContainEqual(expect.objectContaining({ url: 'https://auth.example' }));
});
