import { describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { acting, type Person } from '#test/support/impersonation';
import { statementsOf } from '#test/support/statements';

const app = await startApp();
const { auth, ctx, register, AuditEntry, Session, User } = app;
const { allow, administrator, actFor } = acting(app);
/** Another node on the same database. What is done there, this one learns of from the database alone. */
const other = await startApp(app.env);
const elsewhere = other.auth;

await allow('support', 'invoices:read users:impersonate');
await allow('clerk', 'invoices:read');
await allow('boss', 'invoices:*');

type End = (me: Person, target: Person, id: string) => Promise<unknown>;
const setPermissions = (permissions: string, name: string) =>
  other.Role.update({ permissions }, { where: { name } });
/** Done and undone: the session does not come back. */
const causes: Record<string, End | [done: End, undone: End]> = {
  'the administrator signs out': (me) =>
    other.ask('POST', '/auth/logout', { body: { refreshToken: me.tokens.refreshToken } }),
  'the administrator’s session expires': (me) =>
    other.Session.update({ expiresAt: ctx.clock.date() }, { where: { id: me.tokens.session.id } }),
  'the administrator loses the role': [
    (me) => elsewhere.roles.revoke(me.id, 'support'),
    (me) => elsewhere.roles.grant(me.id, 'support'),
  ],
  'the role loses the permission': [
    () => setPermissions('invoices:read', 'support'),
    () => setPermissions('invoices:read users:impersonate', 'support'),
  ],
  'the role loses a permission that the user has': [
    () => setPermissions('users:impersonate', 'support'),
    () => setPermissions('invoices:read users:impersonate', 'support'),
  ],
  'the user gets a permission that the administrator lacks': [
    (_me, { id }) => elsewhere.roles.grant(id, 'boss'),
    (_me, { id }) => elsewhere.roles.revoke(id, 'boss'),
  ],
  'the user may impersonate, too': [
    (_me, { id }) => elsewhere.roles.grant(id, 'support'),
    (_me, { id }) => elsewhere.roles.revoke(id, 'support'),
  ],
  'the administrator is disabled': [
    (me) => elsewhere.users.disable(me.id),
    (me) => elsewhere.users.enable(me.id),
  ],
  'the administrator is deleted': (me) => elsewhere.users.delete(me.id),
  'the user is disabled': [
    (_me, { id }) => elsewhere.users.disable(id),
    (_me, { id }) => elsewhere.users.enable(id),
  ],
  'the user is deleted': (_me, { id }) => elsewhere.users.delete(id),
  'the user ends it': (_me, { token }, id) => other.ask('DELETE', `/me/sessions/${id}`, { token }),
  'the user signs out everywhere else': (_me, { token }) =>
    other.ask('DELETE', '/me/sessions', { token }),
  'the user changes the password': (_me, { token }) =>
    other.ask('PUT', '/me/password', {
      token,
      body: { currentPassword: password, newPassword: 'another horse and battery' },
    }),
};

describe('it ends on the next request on every node, and for good, when', () => {
  it.each(Object.entries(causes))('%s', async (_what, cause) => {
    const [done, undone] = Array.isArray(cause) ? cause : [cause];
    const me = await administrator('support');
    const target = await register({}, 'clerk');
    const acts = await actFor(me, target);
    const both = async () =>
      Promise.all(
        [app, other].map(
          async ({ ask }) => (await ask('GET', '/me', { token: acts.token })).status,
        ),
      );
    expect(await both()).toEqual([200, 200]);
    await done(me, target, acts.id);
    expect(await both()).toEqual([401, 401]);
    await undone?.(me, target, acts.id);
    expect(await both()).toEqual([401, 401]);
    const row = await Session.findByPk(acts.id);
    expect(row?.isLive(ctx.clock.now()) ?? false).toBe(false);
  });
});

/** Those that are done by the server itself: a statement of somebody else, or a time that passes, announces nothing. */
const announced = Object.entries(causes).filter(
  ([what]) => !/^the (role loses|administrator’s session expires)|deleted$/.test(what),
);
const ending = ['the administrator is deleted', causes['the administrator is deleted']!] as const;

describe('its end is in the audit trail before any request, when', () => {
  const ends = (sessionId: string) =>
    AuditEntry.findAll({ where: { type: 'session.ended', sessionId } });

  it.each([...announced, ending])('%s', async (_what, cause) => {
    const [done] = Array.isArray(cause) ? cause : [cause];
    const me = await administrator('support');
    const target = await register({}, 'clerk');
    const acts = await actFor(me, target);
    await done(me, target, acts.id);
    const row = await Session.findByPk(acts.id);
    expect(row!.isLive(ctx.clock.now())).toBe(false);
    expect(await ends(acts.id)).toHaveLength(1);
    expect((await acts.ask('GET', '/me')).status).toBe(401);
    expect(await ends(acts.id)).toHaveLength(1);
  });

  it('a role is changed or deleted, and only where somebody may not go on', async () => {
    await allow('helper', 'invoices:read users:impersonate');
    const [me, other] = [await administrator('helper'), await administrator('support')];
    const target = await register({}, 'clerk');
    const [first, kept] = [await actFor(me, target), await actFor(other, target)];
    await elsewhere.roles.set('helper', { permissions: ['invoices:read', 'users:*'] });
    expect(await ends(first.id)).toHaveLength(0);
    await elsewhere.roles.set('helper', { permissions: ['users:*'] });
    expect(await ends(first.id)).toHaveLength(1);
    await elsewhere.roles.set('helper', { permissions: ['*'] });
    const again = await actFor(me, target);
    await elsewhere.roles.delete('helper');
    expect(await ends(again.id)).toHaveLength(1);
    expect(await ends(kept.id)).toHaveLength(0);
    expect((await kept.ask('GET', '/me')).status).toBe(200);
  });

  it('the administrator signs in so often that the oldest session makes room', async () => {
    const me = await administrator('support');
    const acts = await actFor(me, await register());
    await auth.users.resetFactors(me.id); // so that a password is enough
    for (let i = 0; i < 10; i++) expect((await app.logIn(me.username)).status).toBe(200);
    expect(await ends(acts.id)).toHaveLength(1);
  });

  it('nobody begins one while the session that it comes from ends', async () => {
    const me = await administrator('support');
    const target = await register({}, 'clerk');
    const [acts] = await Promise.all([
      me.ask('POST', `/admin/users/${target.id}/impersonate`, { body: { reason: 'A race' } }),
      other.ask('POST', '/auth/logout', { body: { refreshToken: me.tokens.refreshToken } }),
    ]);
    const live = { userId: target.id, actorId: me.id, ...Session.live(ctx.clock.date()) };
    expect([200, 401]).toContain(acts.status);
    expect(await Session.count({ where: live })).toBe(0);
  });
});

it('a sign-out of somebody who acts for nobody costs one statement for it', async () => {
  const { tokens } = await register();
  const statements = statementsOf(User.sequelize);
  statements.length = 0;
  await app.ask('POST', '/auth/logout', { body: { refreshToken: tokens.refreshToken } });
  expect(statements.filter((sql) => sql.includes('actor_session_id'))).toHaveLength(1);
});

describe('a request in the name of somebody', () => {
  it('costs the one statement of every guarded request', async () => {
    const me = await administrator('support');
    const target = await register({}, 'clerk');
    const acts = await actFor(me, target);
    const statements = statementsOf(User.sequelize);
    await User.update({ name: 'x' }, { where: { id: me.id } }); // what was read before is read again
    statements.length = 0;
    expect((await acts.ask('GET', '/me')).status).toBe(200);
    expect(statements).toHaveLength(1);
    expect(statements[0]).toContain('FROM sessions s');
    statements.length = 0;
    expect((await acts.ask('GET', '/me')).status).toBe(200);
    expect(statements).toHaveLength(engine === 'sqlite' ? 0 : 1);
  });

  it('does not let the session of the administrator live longer', async () => {
    const me = await administrator('support');
    const own = async () => (await Session.findByPk(me.tokens.session.id))!;
    const acts = await actFor(me, await register());
    const lastSeenAt = new Date(Date.now() - 120_000);
    await Session.update({ lastSeenAt }, { where: { id: (await own()).id }, silent: true });
    const { expiresAt } = await own();
    expect((await acts.ask('GET', '/me')).status).toBe(200);
    expect(await own()).toMatchObject({ lastSeenAt, expiresAt });
  });
});

describe('the audit trail', () => {
  const entries = (subject: string) =>
    AuditEntry.findAll({
      where: { subject, type: ['session.impersonated', 'session.ended'] },
      order: ['id'],
    });

  it('names both, and the reason', async () => {
    const me = await administrator('support');
    const target = await register();
    const acts = await actFor(me, target, 'Ticket 1');
    expect((await acts.ask('POST', '/auth/logout', { body: {} })).status).toBe(204);
    const found = await eventually(async () => {
      const all = await entries(target.id);
      expect(all).toHaveLength(2);
      return all;
    });
    expect(found[0]).toMatchObject({
      type: 'session.impersonated',
      actor: me.id,
      actorKind: 'user',
      onBehalfOf: null,
      subject: target.id,
      sessionId: acts.id,
    });
    expect(JSON.parse(found[0]!.details)).toEqual({
      actorId: me.id,
      actorSessionId: me.tokens.session.id,
      reason: 'Ticket 1',
    });
    expect(found[1]).toMatchObject({
      type: 'session.ended',
      actor: me.id,
      onBehalfOf: target.id,
      subject: target.id,
      sessionId: acts.id,
    });
  });

  it('names both of whatever else a request does', async () => {
    const me = await administrator('support');
    const target = await register();
    const acts = await actFor(me, target);
    const claims = await auth.sessions.verifyAccessToken(acts.token);
    const user = await auth.sessions.resume(claims);
    await ctx.request.run({ requestId: 'a-request', user }, () =>
      ctx.events.record([
        'session.ended',
        { userId: target.id, sessionId: acts.id, why: 'signed_out' },
      ]),
    );
    expect((await entries(target.id)).at(-1)).toMatchObject({
      actor: me.id,
      actorKind: 'user',
      onBehalfOf: target.id,
      sessionId: acts.id,
    });
  });

  it('says that the server ended it when the administrator may not go on', async () => {
    const me = await administrator('support');
    const target = await register();
    const acts = await actFor(me, target);
    await elsewhere.roles.revoke(me.id, 'support');
    expect((await acts.ask('GET', '/me')).status).toBe(401);
    expect((await entries(target.id)).at(-1)).toMatchObject({
      type: 'session.ended',
      actor: null,
      actorKind: 'server',
      details: '{"why":"actor_gone"}',
    });
  });
});
