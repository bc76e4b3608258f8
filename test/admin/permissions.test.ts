import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { requirePermission } from '#src/authentication/guards';
import { requireLivePermission } from '#src/sessions/require-live-permission';
import { startApp } from '#test/support/app';
import { engine } from '#test/support/database';
import { elsewhere } from '#test/support/elsewhere';
import { root } from '#test/support/process';
import { statementsOf } from '#test/support/statements';

const app = await startApp({ API_KEYS: 'on' });
const { auth, ask, ctx, databaseUrl, register, Role, User } = app;
for (const name of ['reader', 'clerk', 'boss']) await auth.roles.create(name);
const allow = (name: string, permissions: string) =>
  Role.update({ permissions }, { where: { name } });
await allow('reader', 'invoices:read users:read');
await allow('clerk', 'invoices:read invoices:write');
await allow('boss', 'users:*');

const statements = statementsOf(User.sequelize);
beforeEach(() => {
  statements.length = 0;
});
const cheapest = engine === 'sqlite' ? 0 : 1;
const permissionsOf = async (me: { ask: typeof ask }) =>
  (await me.ask('GET', '/me')).body.permissions;
type Person = Awaited<ReturnType<typeof register>>;
async function keyOf(me: Person, scopes: string[]) {
  const { status, body, text } = await me.ask('POST', '/me/api-keys', {
    body: { name: 'robot', scopes },
  });
  expect(status, text).toBe(201);
  return { headers: { 'x-api-key': body.key as string } };
}

it('stand in docs/permissions.md, each that a route of the server asks for and no others', async () => {
  const guide = readFileSync(join(root, 'docs/permissions.md'), 'utf8');
  const [, table = ''] = /\| Permission \| \|\n(.*?)\n\n/s.exec(guide) ?? [];
  const listed = [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name!);
  const document = JSON.stringify(await app.document());
  const asked = [...document.matchAll(/Requires the permission `([^`]+)`/g)].map(
    ([, name]) => name!,
  );
  expect(listed.toSorted()).toEqual([...new Set(asked)].sort());
});

describe('the permissions of a user', () => {
  it('are those of their roles, each once, in alphabetical order: GET /me', async () => {
    const me = await register({}, 'clerk', 'reader');
    expect(await permissionsOf(me)).toEqual(['invoices:read', 'invoices:write', 'users:read']);
    expect(await permissionsOf(await register())).toEqual([]);
    expect(await permissionsOf(await register({}, 'moderator'))).toEqual([]);
    expect(await permissionsOf(await register({}, 'admin'))).toEqual(['*']);
    expect((await me.ask('PATCH', '/me', { body: { name: 'Ada' } })).body.permissions).toEqual(
      await permissionsOf(me),
    );
  });

  it('are read with the session, in the one statement of a guarded request', async () => {
    const me = await register({}, 'clerk', 'reader');
    statements.length = 0;
    expect((await me.ask('GET', '/admin/users?limit=101')).status).toBe(400);
    expect(statements).toHaveLength(1);
    await me.ask('GET', '/me');
    statements.length = 0;
    expect((await me.ask('GET', '/admin/users?limit=101')).status).toBe(400);
    expect((await (await register()).ask('GET', '/me')).status).toBe(200);
    expect(statements.filter((sql) => sql.includes('FROM sessions s')).length).toBe(1 + cheapest);
  });

  it('are those of the roles among its scopes for an API key, read in one statement', async () => {
    const me = await register({}, 'clerk', 'reader', 'admin');
    const key = await keyOf(me, ['clerk', 'user']);
    await ask('GET', '/me', key); // notes the use of the key
    statements.length = 0;
    expect((await ask('GET', '/me', key)).body).toMatchObject({
      roles: ['clerk', 'user'],
      permissions: ['invoices:read', 'invoices:write'],
    });
    expect(statements).toHaveLength(1);
    expect((await ask('GET', '/admin/users', key)).body).toMatchObject({
      code: 'forbidden',
      required: ['users:read'],
    });
    expect((await ask('GET', '/admin/users', await keyOf(me, ['reader']))).status).toBe(200);
  });

  it('bind on the next request when the role changes, on this node and elsewhere', async () => {
    const me = await register({}, 'reader');
    const key = await keyOf(me, ['reader']);
    const status = async () => [
      (await me.ask('GET', '/admin/users')).status,
      (await ask('GET', '/admin/users', key)).status,
    ];
    expect(await status()).toEqual([200, 200]);
    await allow('reader', 'invoices:read');
    expect(await status()).toEqual([403, 403]);
    await allow('reader', 'invoices:read users:*');
    expect(await status()).toEqual([200, 200]);
    const elsewhereTo = (permissions: string) =>
      elsewhere(databaseUrl, 'UPDATE roles SET permissions = ? WHERE name = ?', [
        permissions,
        'reader',
      ]);
    await elsewhereTo('');
    expect(await status()).toEqual([403, 403]);
    expect(await permissionsOf(me)).toEqual([]);
    await elsewhereTo('invoices:read users:read');
    expect(await status()).toEqual([200, 200]);
  });

  it('are in the principal of a strategy that signs in with each request, too', async () => {
    const other = await startApp({ BASIC_AUTH: 'on' });
    await other.auth.roles.create('clerk');
    await other.Role.update({ permissions: 'users:read' }, { where: { name: 'clerk' } });
    const me = await other.register({}, 'clerk');
    const pair = Buffer.from(`${me.username}:correct horse battery`).toString('base64');
    const { status, body } = await other.ask('GET', '/me', {
      headers: { authorization: `Basic ${pair}` },
    });
    expect([status, body.permissions]).toEqual([200, ['users:read']]);
  });
});

describe('the guard requirePermission', () => {
  it('stands where administrators read users and reset factors', async () => {
    const target = await register();
    const path = `/admin/users/${target.id}/factors`;
    const [user, moderator, reader, boss, admin] = [
      await register(),
      await register({}, 'moderator'),
      await register({}, 'reader'),
      await register({}, 'boss'),
      await register({}, 'admin'),
    ];
    expect((await ask('GET', '/admin/users')).status).toBe(401);
    for (const who of [user, moderator])
      expect(await who.ask('GET', '/admin/users')).toMatchObject({
        status: 403,
        body: { code: 'forbidden', action: 'stop', required: ['users:read'] },
      });
    for (const who of [reader, boss, admin])
      expect((await who.ask('GET', '/admin/users')).status).toBe(200);
    for (const who of [user, moderator, reader, boss])
      expect((await who.ask('DELETE', path)).body).toMatchObject({ required: ['factors:reset'] });
    expect((await admin.ask('DELETE', path)).status).toBe(204);
  });

  it('does not ask for the name of a role: admin opens by its permission', async () => {
    const admin = await register({}, 'admin');
    await allow('admin', 'users:read');
    expect((await admin.ask('GET', '/admin/users')).status).toBe(200);
    await allow('admin', 'invoices:read');
    expect((await admin.ask('GET', '/admin/users')).status).toBe(403);
    await allow('admin', '*');
    expect((await admin.ask('GET', '/admin/users')).status).toBe(200);
  });

  it('says in the document what it needs', async () => {
    const { paths } = (await app.document()) as unknown as {
      paths: Record<string, Record<string, { description: string }>>;
    };
    expect(paths['/admin/users']!['get']!.description).toContain(
      'Requires the permission `users:read`.',
    );
    expect(requirePermission('a:b', 'c:d').doc.note).toBe(
      'Requires the permission `a:b` and `c:d`.',
    );
  });

  it('looks again at the permission in the transaction of the change', async () => {
    const boss = await register({}, 'admin');
    const claims = await auth.sessions.verifyAccessToken(boss.token);
    const principal = await auth.sessions.resume(claims);
    expect(principal.permissions).toEqual(['*']);
    await auth.roles.revoke(boss.id, 'admin');
    await expect(
      ctx.db.transaction(() => requireLivePermission(ctx, principal, 'factors:reset')),
    ).rejects.toMatchObject({ code: 'forbidden', members: { required: ['factors:reset'] } });
  });
});
