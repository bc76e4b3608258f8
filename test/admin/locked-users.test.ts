import { expect, it } from 'vitest';
import { password } from '#test/support/app';
import { commandLine, speaking } from '#test/support/command';
import { startLimited, times } from '#test/support/limited';

const { auth, ctx, ask, env, from, logIn, member, unused } = await startLimited({
  LIMIT_LOGIN_FAILURES_PAUSE: '15m-15m',
});
const admin = await member();
await auth.roles.grant(admin.username, 'admin');
const { does, json } = speaking(commandLine(env));
const asAdmin = (method: string, path: string) => ask(method, path, { token: admin.token });

async function lockedOut() {
  const ada = await member();
  await times(12, (i) => logIn(unused(), ada.username, `wrong ${i}`));
  await logIn(ada.ip, ada.username, 'wrong at home');
  return ada;
}
const signsIn = async (ada: { username: string }) =>
  (await logIn(unused(), ada.username, password)).status;

it('shows who is kept out by failed sign-ins, from where and for how long, and lets them in', async () => {
  const ada = await lockedOut();
  expect(await signsIn(ada)).toBe(401);
  const { loginFailures } = (await asAdmin('GET', `/admin/users/${ada.id}`)).body;
  expect(loginFailures).toEqual([
    { of: 'sign_in', network: null, count: expect.any(Number), lockedUntil: expect.any(String) },
    { of: 'sign_in', network: ada.ip, count: 1, lockedUntil: null },
  ]);
  expect(loginFailures[0].count).toBeGreaterThan(3);
  expect(new Date(loginFailures[0].lockedUntil).getTime()).toBeGreaterThan(ctx.clock.now());
  const heard: unknown[] = [];
  ctx.events.on('user.unlocked', (event) => void heard.push(event));
  expect((await asAdmin('DELETE', `/admin/users/${ada.id}/lock`)).status).toBe(204);
  expect(heard).toEqual([{ userId: ada.id }]);
  expect((await asAdmin('GET', `/admin/users/${ada.id}`)).body.loginFailures).toEqual([]);
  expect(await signsIn(ada)).toBe(200);
  expect((await asAdmin('DELETE', `/admin/users/${ada.id}/lock`)).status).toBe(204);
});

it('does the same on the command line', async () => {
  const ada = await lockedOut();
  const shown = await json(`user show ${ada.username}`);
  expect(shown.loginFailures[0]).toMatchObject({ of: 'sign_in', network: null });
  expect(await does(`user show ${ada.username}`)).toMatch(/Failed sign-ins +\d+ from elsewhere/);
  expect(await does(`user unlock ${ada.username}`)).toBe(`${ada.username} is let in again.\n`);
  expect(await signsIn(ada)).toBe(200);
  expect((await ask('GET', '/livez', from(unused()))).status).toBe(200);
});
