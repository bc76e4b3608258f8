import { v7 as uuid } from 'uuid';
import { expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { engine } from '#test/support/database';
import { openMailbox } from '#test/support/mailbox';
import { rowsOf } from '#test/support/process';

const mailbox = await openMailbox();
mailbox.answer('RCPT', 450); // mails stay in the queue
const { ask, auth, ctx, databaseUrl, register } = await startApp({
  ...mailbox.env,
  API_KEYS: 'on',
  EMAIL_CODE: 'on',
  TRUST_PROXY: '1',
  NOTIFY_NEW_SIGN_IN: 'on',
});

/** What is known of the user, in words that nobody else has. */
const CANARIES = {
  username: 'canaryuser',
  address: 'canary.address@example.com',
  name: 'Canary Lovelace',
  ip: '203.0.113.77',
  agent: 'CanaryAgent',
  device: 'Canary phone',
  subject: 'canary-subject',
  'address at a provider': 'canary@github.example',
  'name of a key': 'canary key',
  'name of a factor': 'canary factor',
};

/** Where each canary stands in the database: table.column, of every table that there is. */
async function places(): Promise<Record<string, string[]>> {
  const list =
    engine === 'sqlite'
      ? "SELECT name FROM sqlite_master WHERE type = 'table'"
      : 'SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()';
  const tables = (await rowsOf(databaseUrl, list)).map(({ name }) => name as string);
  expect(tables.length).toBeGreaterThan(15);
  const found: Record<string, Set<string>> = {};
  for (const table of tables)
    for (const row of await rowsOf(databaseUrl, `SELECT * FROM ${table}`))
      for (const [column, value] of Object.entries(row))
        for (const [canary, text] of Object.entries(CANARIES))
          if (String(value).toLowerCase().includes(text.toLowerCase()))
            (found[canary] ??= new Set()).add(`${table}.${column}`);
  return Object.fromEntries(
    Object.entries(found).map(([canary, where]) => [canary, [...where].sort()]),
  );
}

/** A user of whom each canary is somewhere. */
async function canary() {
  const { username, address: email, name, ip, agent, device, subject } = CANARIES;
  const me = await register({ username, email, name });
  const { id: userId } = me;
  await ctx.db.User.update({ emailVerifiedAt: new Date() }, { where: { id: userId } });
  const signedIn = await ask('POST', '/auth/login', {
    body: { email, password, device: { kind: 'mobile', name: device } },
    headers: { 'x-forwarded-for': ip, 'user-agent': `${agent}/1.0` },
  });
  expect(signedIn.status, signedIn.text).toBe(200);
  await ask('POST', '/auth/login', {
    body: { email, password: 'not the password' },
    headers: { 'x-forwarded-for': ip },
  });
  await ctx.db.Identity.create({
    id: uuid(),
    userId,
    provider: 'github',
    subject,
    email: CANARIES['address at a provider'],
  });
  await ctx.db.UserNumber.create({ userId });
  const key = { name: CANARIES['name of a key'], scopes: ['user'] };
  const factor = { name: CANARIES['name of a factor'] };
  expect((await me.ask('POST', '/me/api-keys', { body: key })).status).toBe(201);
  expect((await me.ask('POST', '/me/factors/totp', { body: factor })).status).toBe(201);
  for (const path of ['/auth/password/forgot', '/auth/email-code/request'])
    expect((await ask('POST', path, { body: { email } })).status).toBe(202);
  const change = { email: 'canary.other@example.com', currentPassword: password };
  expect((await me.ask('POST', '/me/email', { body: change })).status).toBe(202);
  const expiresAt = new Date(Date.now() + 60_000);
  await ctx.db.SignUp.create({
    id: uuid(),
    username: null,
    usernameCanonical: null,
    passwordHash: 'x',
    name,
    email,
    emailCanonical: email,
    expiresAt,
  });
  await ctx.db.Invitation.create({
    id: uuid(),
    email,
    emailCanonical: email,
    name,
    roles: 'user',
    digest: 'c'.repeat(64),
    expiresAt,
  });
  return { ...me, token: signedIn.body.accessToken as string };
}

it.each(['DELETE /me', 'auth.users.delete'])(
  'after %s no row of any table has what was known of the user, but for the audit trail',
  async (how) => {
    const me = await canary();
    const before = await places();
    expect(before).toMatchObject({
      username: ['users.username', 'users.username_canonical'],
      address: expect.arrayContaining(['invitations.email', 'sign_ups.email', 'users.email']),
      name: ['invitations.name', 'sign_ups.name', 'users.name'],
      ip: ['audit_entries.ip', 'sessions.ip'],
      agent: ['sessions.user_agent'],
      device: ['sessions.device_name'],
    });
    expect(Object.keys(before).sort()).toEqual(Object.keys(CANARIES).sort());
    if (how === 'DELETE /me') {
      const { token } = me;
      const deleted = await ask('DELETE', '/me', {
        token,
        body: { password },
        headers: { 'x-forwarded-for': CANARIES.ip },
      });
      expect(deleted.status, deleted.text).toBe(204);
    } else await auth.users.delete(me.id);
    // What a stated retention keeps: docs/privacy.md, "How it goes away".
    expect(await places()).toEqual({ ip: ['audit_entries.ip'] });
    const { OneTimeToken, AuditEntry } = ctx.db;
    expect(await OneTimeToken.count({ where: { userId: me.id } })).toBe(0);
    await AuditEntry.destroy({ where: {} }); // for the next one
  },
);

it('the user of somebody else is left alone', async () => {
  const [gone, stays] = [await canary(), await register({ username: 'stays', name: 'Bob' })];
  await auth.users.delete(gone.id);
  expect((await stays.ask('GET', '/me')).body).toMatchObject({ username: 'stays', name: 'Bob' });
});
