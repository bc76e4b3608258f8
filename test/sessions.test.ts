import { expect, it } from 'vitest';
import { startApp } from '#test/support/app';

const { ask, register, logIn } = await startApp();

it('lets a new user in and answers who they are', async () => {
  const ada = await register();
  const { status, body } = await ada.ask('GET', '/me');
  expect(status).toBe(200);
  expect(body).toEqual(ada.tokens.user);
  expect((await logIn(ada.username)).status).toBe(200);
  expect((await ask('GET', '/me')).body).toMatchObject({ code: 'token_missing' });
});
