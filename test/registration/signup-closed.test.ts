import { expect, it } from 'vitest';
import { register } from '#src/registration/register';
import { password, startApp } from '#test/support/app';
import { folderOf, providerFile } from '#test/support/strategy-folder';

const { ctx, ask, logIn, User } = await startApp({
  SIGNUP: 'closed',
  STRATEGIES_DIR: folderOf({ 'far.mjs': providerFile('far') }),
});

it.each([
  ['a good request', { username: 'ada', password }],
  ['a name that is taken', { username: 'known', password }],
  ['a weak password', { username: 'ada', password: '12345678' }],
])('refuses strangers who want to register, whatever they send: %s', async (_what, body) => {
  const before = await User.count();
  const answer = await ask('POST', '/auth/register', { body });
  expect(answer).toMatchObject({
    status: 403,
    body: { code: 'signup_closed', action: 'stop' },
  });
  expect(answer.body.required).toBeUndefined();
  expect(await User.count()).toBe(before);
});

it('lets in who was made by the operator', async () => {
  await register(ctx, { username: { display: 'Known', canonical: 'known' }, password });
  expect((await logIn('known')).status).toBe(200);
});

it('lets in a user of a provider who is known here, and nobody else', async () => {
  const far = (body: object) => ask('POST', '/auth/far', { body });
  expect((await far({ subject: 'stranger' })).body).toMatchObject({
    status: 403,
    code: 'signup_closed',
  });
  const user = await register(ctx, {
    email: { display: 'ida@idp.test', canonical: 'ida@idp.test' },
    password,
  });
  await user.update({ emailVerifiedAt: new Date() });
  expect(
    (await far({ subject: 'ida', email: 'ida@idp.test', emailVerified: true })).body.user.id,
  ).toBe(user.id);
});
