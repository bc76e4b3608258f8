import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterAll, describe, expect, it } from 'vitest';
import { startApp, password } from '#test/support/app';
import { statusesOf } from '#test/support/client';
import { isForUsers } from '#test/support/routes';
import { addApp, totpCode } from '#test/support/second-factor';
import { folderOf } from '#test/support/strategy-folder';

const STRATEGIES_DIR = folderOf({
  'two.js': `export default {
  name: 'two', kind: 'login', summary: 'Believes everybody, twice', amr: ['fed', 'mfa'],
  credentials: (await import('zod')).z.strictObject({ username: (await import('zod')).z.string() }),
  create: ({ auth }) => ({ authenticate(req) { auth.users.find(req.body.username).then((user) => this.success(user)); } }) };`,
});
const app = await startApp({
  MFA_REQUIRED_ROLES: 'admin, press',
  API_KEYS: 'on',
  BASIC_AUTH: 'on',
  DIALECTS: 'bezkoder',
  STRATEGIES_DIR,
});
const { auth, ctx, ask, routes, register, Factor, Session, User } = app;
await auth.roles.create('press');
const members = routes.filter(isForUsers);

/** What somebody may do who must enrol a factor first. */
const OPEN = [
  'delete /me/factors/:id',
  'get /me',
  'get /me/factors',
  'patch /me/factors/:id',
  'post /auth/reauthenticate',
  'post /auth/reauthenticate/options',
  'post /me/factors/passkeys',
  'post /me/factors/passkeys/options',
  'post /me/factors/recovery-codes',
  'post /me/factors/totp',
  'post /me/factors/totp/:id/confirm',
];
const refused = { status: 403, body: { code: 'mfa_enrollment_required', action: 'enroll_factor' } };

const host = express();
host.get('/guard', auth.authenticate(), (_req, res) => void res.sendStatus(204));
host.get('/passport', auth.passport.authenticate('jwt', { session: false }), (_req, res) => {
  res.sendStatus(204);
});
host.use(auth.errorHandler);
const server = host.listen(0, '127.0.0.1');
await once(server, 'listening');
afterAll(() => void server.close());
const { port } = server.address() as AddressInfo;
const atHost = async (path: string, token: string) => {
  const headers = { authorization: `Bearer ${token}` };
  return (await fetch(`http://127.0.0.1:${port}${path}`, { headers })).status;
};

describe('who has a role that requires a second factor, and none', async () => {
  const me = await register({}, 'press');

  it.each(members.map(({ method, path }) => [`${method} ${path}`, method, path] as const))(
    'may %s only if it is about that (M-15)',
    async (name, method, path) => {
      const { status, body } = await me.ask(method.toUpperCase(), path.replaceAll(/:\w+/g, me.id));
      if (OPEN.includes(name)) expect(body?.code).not.toBe('mfa_enrollment_required');
      else expect({ status, body }).toMatchObject(refused);
    },
  );

  it('may do no more and no less than what is listed here', () => {
    const names = members.map(({ method, path }) => `${method} ${path}`);
    expect(names.filter((name) => /factors|\/me$|reauth/.test(name)).sort()).toEqual(
      expect.arrayContaining(OPEN),
    );
    const open = members.filter(({ guards }) =>
      guards.every(({ doc }) => !doc.problems?.includes('mfa_enrollment_required')),
    );
    expect(open.map(({ method, path }) => `${method} ${path}`).sort()).toEqual(OPEN);
  });

  it('may refresh, and sign out', async () => {
    const { tokens } = await register({}, 'press');
    const { status, body } = await ask('POST', '/auth/refresh', {
      body: { refreshToken: tokens.refreshToken },
    });
    expect(status).toBe(200);
    expect((await ask('POST', '/auth/logout', { token: body.accessToken })).status).toBe(204);
    expect((await ask('GET', '/me', { token: body.accessToken })).body.code).toBe('session_ended');
  });

  it('gets into no route of the app either, by our guard or by plain Passport', async () => {
    for (const path of ['/guard', '/passport']) expect(await atHost(path, me.token)).toBe(403);
    const other = await register();
    for (const path of ['/guard', '/passport']) expect(await atHost(path, other.token)).toBe(204);
  });

  it('is let in by the factor, from the next request on', async () => {
    const ada = await register({}, 'press');
    expect(await ada.ask('GET', '/me/sessions')).toMatchObject(refused);
    await addApp(ctx, ada);
    expect((await ada.ask('GET', '/me/sessions')).status).toBe(200);
    for (const path of ['/guard', '/passport']) expect(await atHost(path, ada.token)).toBe(204);
  });

  it('is bound by a role that is granted, and free without it, from the next request on', async () => {
    const ada = await register();
    expect((await ada.ask('GET', '/me/sessions')).status).toBe(200);
    await auth.roles.grant(ada.username, 'press');
    expect(await ada.ask('GET', '/me/sessions')).toMatchObject(refused);
    await auth.roles.revoke(ada.username, 'press');
    expect((await ada.ask('GET', '/me/sessions')).status).toBe(200);
  });

  it('gets nowhere with Basic, nor with an API key that may use the role', async () => {
    const ada = await register();
    const key = async (scopes: string[]) =>
      (await ada.ask('POST', '/me/api-keys', { body: { name: 'robot', scopes } })).body.key;
    const modest = await key(['user']);
    await auth.roles.grant(ada.username, 'press');
    await User.update({ factors: 1 }, { where: { id: ada.id } });
    const proved = (aal2At: Date | null) =>
      Session.update({ aal2At }, { where: { userId: ada.id } });
    await proved(ctx.clock.date());
    const pressing = await key(['press', 'user']);
    await User.update({ factors: 0 }, { where: { id: ada.id } });
    await proved(null);
    const sessions = (headers: Record<string, string>) => ask('GET', '/me/sessions', { headers });
    expect(await sessions({ 'x-api-key': pressing })).toMatchObject(refused);
    expect((await sessions({ 'x-api-key': modest })).status).toBe(200);
    const basic = Buffer.from(`${ada.username}:${password}`).toString('base64');
    expect(await sessions({ authorization: `Basic ${basic}` })).toMatchObject(refused);
  });

  it('must prove the factor in a session from before it, which may be that of a thief', async () => {
    const ada = await register({}, 'press');
    const { secret } = await addApp(ctx, ada); // makes that session one of two factors
    await Session.update({ aal2At: null, amr: 'pwd' }, { where: { userId: ada.id } });
    const { status, body } = await ada.ask('GET', '/me/sessions');
    expect([status, body.code, body.acrValues]).toEqual([403, 'step_up_required', ['aal2']]);
    const code = totpCode(secret, ctx.clock.now(), 1);
    const proved = await ada.ask('POST', '/auth/reauthenticate', { body: { code } });
    expect(proved.status, proved.text).toBe(204);
    expect((await ada.ask('GET', '/me/sessions')).status).toBe(200);
  });

  it('is let in where two factors were proved otherwise', async () => {
    const ada = await register({}, 'press');
    const { body } = await ask('POST', '/auth/two', { body: { username: ada.username } });
    expect((await ask('GET', '/me/sessions', { token: body.accessToken })).status).toBe(200);
    expect(await ada.ask('GET', '/me/sessions')).toMatchObject(refused);
  });

  it('is refused by compatibility adapters in their own words', async () => {
    const admin = await register({}, 'admin');
    const answer = await fetch(`${app.url}/api/test/admin`, {
      headers: { 'x-access-token': admin.token },
    });
    expect(answer.status).toBe(403);
    expect(await answer.json()).toEqual({ message: expect.stringMatching(/second factor/) });
  });
});

describe('the last factor of a user whose role requires one', () => {
  it('stays (M-10)', async () => {
    const ada = await register({}, 'press');
    const { factorId } = await addApp(ctx, ada);
    const remove = () => ada.ask('DELETE', `/me/factors/${factorId}`);
    const { status, body } = await remove();
    expect([status, body.code]).toEqual([409, 'last_factor']);
    expect(await Factor.count({ where: { userId: ada.id } })).toBe(1);
    expect((await ada.ask('GET', '/me/factors')).body.recoveryCodesLeft).toBe(10);
    await auth.roles.revoke(ada.username, 'press');
    const { factors } = (await User.findByPk(ada.id))!;
    expect(factors).toBe(1);
  });

  it('stays when two are removed at once: one remains (M-10)', async () => {
    const ada = await register({}, 'press');
    const ids = [(await addApp(ctx, ada)).factorId, (await addApp(ctx, ada)).factorId];
    const answers = await Promise.all(ids.map((id) => ada.ask('DELETE', `/me/factors/${id}`)));
    expect(statusesOf(answers)).toEqual([204, 409]);
    expect(await Factor.count({ where: { userId: ada.id } })).toBe(1);
    expect((await User.findByPk(ada.id))!.factors).toBe(1);
  });

  it('goes for everybody else, and so does one that was never confirmed', async () => {
    const bob = await register();
    const { factorId } = await addApp(ctx, bob);
    expect((await bob.ask('DELETE', `/me/factors/${factorId}`)).status).toBe(204);
    const ada = await register({}, 'press');
    await addApp(ctx, ada);
    const { body } = await ada.ask('POST', '/me/factors/totp', { body: {} });
    expect((await ada.ask('DELETE', `/me/factors/${body.id}`)).status).toBe(204);
  });
});
