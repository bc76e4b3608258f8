import express from 'express';
import { describe, expect, it } from 'vitest';
import { embed } from '#test/support/host';
import { password } from '#test/support/app';
import { addApp } from '#test/support/second-factor';

const { auth, ask } = await embed('', (auth) => {
  const app = express().use(auth.router);
  app.get('/orders', auth.authenticate(), (req, res) => res.json(req.user!.actor));
  app.get(
    '/by-passport',
    auth.passport.authenticate('jwt', { session: false, failWithError: true }),
    (req, res) => res.json(req.user!.actor),
  );
  app.get('/by-role', auth.authenticate(), auth.requireRole('clerk'), (_req, res) => res.json({}));
  app.get(
    '/by-permission',
    auth.authenticate(),
    auth.requirePermission('orders:read'),
    (_req, res) => res.json({}),
  );
  app.get('/full', auth.authenticate(), auth.requireFullAccess(), (_req, res) => res.json({}));
  app.get('/fresh', auth.authenticate(), auth.requireFresh(5), (_req, res) => res.json({}));
  app.get('/aal2', auth.authenticate(), auth.requireAal2(), (_req, res) => res.json({}));
  return app.use(auth.errorHandler);
});
await auth.roles.create('clerk');
await auth.models.Role.update({ permissions: 'orders:read' }, { where: { name: 'clerk' } });

async function member(username: string, ...roles: string[]) {
  const { body } = await ask('POST', '/auth/register', { body: { username, password } });
  for (const role of roles) await auth.roles.grant(username, role);
  const token = body.accessToken as string;
  const { id } = body.user as { id: string };
  return {
    id,
    ask: (...[method, path, more]: Parameters<typeof ask>) => ask(method, path, { token, ...more }),
  };
}
const admin = await member('ada', 'admin');
const clock = { now: () => Date.now(), date: () => new Date(), synchronise: async () => {} };
await addApp({ clock }, admin);
const bob = await member('bob', 'clerk');
const { body: tokens } = await admin.ask('POST', `/admin/users/${bob.id}/impersonate`, {
  body: { reason: 'Order 7 is not shown' },
});
const asBob = (path: string) => ask('GET', path, { token: tokens.accessToken });

describe('in an app that embeds the server, an administrator who acts for a user', () => {
  it('sees what the user sees, and is the actor', async () => {
    for (const path of ['/orders', '/by-passport'])
      expect((await asBob(path)).body).toEqual({ id: admin.id, username: 'ada' });
    expect((await bob.ask('GET', '/orders')).body).toBeNull();
    for (const path of ['/by-role', '/by-permission']) expect((await asBob(path)).status).toBe(200);
  });

  it.each(['/full', '/fresh', '/aal2'])(
    'is kept out where only the user may go: %s',
    async (path) => {
      const { status, body } = await asBob(path);
      expect([status, body.code, body.action]).toEqual([403, 'impersonated', 'stop']);
    },
  );

  it('is all that requireFullAccess keeps out, but for API keys', async () => {
    expect((await bob.ask('GET', '/full')).status).toBe(200);
    expect((await bob.ask('GET', '/fresh')).status).toBe(200);
    expect(() => auth.requireFullAccess(...(['x'] as unknown as []))).toThrow(TypeError);
  });
});
