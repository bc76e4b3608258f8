import { v7 as uuid } from 'uuid';
import { expect, it } from 'vitest';
import { purgeAudit } from '#src/audit/purge';
import { sealedAfter } from '#src/audit/read';
import { sealAll } from '#src/audit/sealing-worker';
import { purgeInvitations } from '#src/invitations/list';
import { exportUsers } from '#src/import-export/export-users';
import { INVITATION } from '#src/invitations/invite';
import { digestOf } from '#src/one-time-tokens/one-time-tokens';
import { purgeTokens } from '#src/one-time-tokens/purge';
import { openSequelize } from '#src/platform/database/open';
import { deliver, takeNext } from '#src/platform/mail/deliver';
import { startRevocations } from '#src/provider-grants/revoke-grants';
import { purgeSessions } from '#src/sessions/purge';
import { purgeSignUps } from '#src/sign-ups/sign-ups';
import { sealFactorsAgain } from '#src/factors/totp';
import { deliver as deliverEvent } from '#src/webhooks/deliver';
import { dispatch } from '#src/webhooks/dispatch';
import { purgeDeliveries } from '#src/webhooks/give-up';
import { sealWebhookSecretsAgain } from '#src/webhooks/secrets';
import { takeNext as takeDelivery } from '#src/webhooks/take';
import { tendKeys } from '#src/keys/rotation';
import { password, startApp } from '#test/support/app';
import { createAuthenticator } from '#test/support/authenticator';
import { commandLine } from '#test/support/command';
import { engine } from '#test/support/database';
import { fillStatements, userId } from '#test/support/fill';
import { collectStatements, planner } from '#test/support/plans';
import { basicOf, formOf } from '#test/support/services';
import { totpCode } from '#test/support/second-factor';
import { serverWrites } from '#test/support/writes';

/** They have few rows however many users there are. */
const SMALL = [
  'roles',
  'signing_keys',
  'migrations',
  'audit_keys',
  'audit_days',
  'webhooks',
  'services',
];

const app = await startApp({
  API_KEYS: 'on',
  EMAIL_CODE: 'on',
  DIALECTS: 'zohaib',
  NOTIFY_NEW_SIGN_IN: 'on',
  WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1',
});
const { auth, ctx, ask, databaseUrl, env, register, routes } = app;
const verifying = await startApp({
  ...env,
  DATABASE_URL: databaseUrl,
  EMAIL_VERIFICATION: 'required',
  LIMITS: 'on',
});
// So many that a statement about 500 of them is not quicker by reading all.
const filler = openSequelize(databaseUrl, { noTimeout: true });
for (const sql of fillStatements(engine, 20_000)) await filler.query(sql);
await filler.close();
const sent = collectStatements(ctx.db);
const scansOf = await planner(databaseUrl);
const found: Record<string, string[]> = {};

/** Explains what was sent since. Now: what it names may be gone later, and then nothing is to be read. */
async function explainNew() {
  for (const [text, statement] of sent) {
    if (text in found || /information_schema|sqlite_master/i.test(text)) continue;
    found[text] = (await scansOf(statement)).filter((table) => !SMALL.includes(table));
  }
}

const asked = new Set<string>();
function client(token?: string) {
  return async (method: string, path: string, body?: object) => {
    const answer = await ask(method, path, { ...(token && { token }), ...(body && { body }) });
    const [pathname] = path.split('?');
    asked.add(
      `${method} ${pathname!.replace('/roles/clerk', '/roles/:role').replace(/[\da-f]{8}-[\da-f-]{27}/, ':id')}`,
    );
    await explainNew();
    return answer;
  };
}
const stranger = client();
const email = () => `${uuid()}@example.com`;

async function ownRoutes() {
  const address = email();
  const ada = await register({ username: 'ada-of-routes', email: address, name: 'Ada' });
  const me = client(ada.token);
  await me('GET', '/me');
  await me('GET', '/me/export');
  await me('PATCH', '/me', { name: 'Ada L', username: 'lovelace' });
  await me('POST', '/me/email', { email: email(), password });
  await me('GET', '/me/email');
  await me('POST', '/auth/reauthenticate', { password });
  const { refreshToken } = ada.tokens;
  await stranger('POST', '/auth/refresh', { refreshToken });
  await stranger('POST', '/auth/refresh', { refreshToken });
  const second = await stranger('POST', '/auth/login', { email: address, password });
  await stranger('POST', '/auth/login', { identifier: address, password: 'wrong password' });
  await me('GET', '/me/sessions?limit=1');
  await me('GET', `/me/sessions?cursor=${uuid()}`);
  await me('DELETE', `/me/sessions/${second.body.session.id}`);
  await me('DELETE', '/me/sessions');
  const key = await me('POST', '/me/api-keys', { name: 'key', scopes: ['user'] });
  await ask('GET', '/me', { headers: { 'x-api-key': key.body.key } });
  await me('GET', '/me/api-keys');
  await me('DELETE', `/me/api-keys/${key.body.id}`);
  await secondFactors(me, address);
  await me('GET', '/me/identities');
  await me('DELETE', `/me/identities/${uuid()}`);
  await stranger('POST', '/auth/password/forgot', { email: address });
  await stranger('POST', '/auth/password/reset', { token: 'x'.repeat(43), password });
  await me('PUT', '/me/password', { currentPassword: password, newPassword: `${password} two` });
  const third = await stranger('POST', '/auth/login', {
    email: address,
    password: `${password} two`,
  });
  const again = client(third.body.accessToken);
  await again('POST', '/auth/logout', { scope: 'others' });
  await again('DELETE', '/me', { password: `${password} two` });
  const leaving = await register();
  await client(leaving.token)('POST', '/auth/logout', { scope: 'all' });
}

async function secondFactors(me: ReturnType<typeof client>, address: string) {
  const { body: app } = await me('POST', '/me/factors/totp', {});
  const code = (steps: number) => ({ code: totpCode(app.secret, ctx.clock.now(), steps) });
  const confirm = `/me/factors/totp/${app.id}/confirm`;
  const { body } = await me('POST', confirm, code(0));
  const begin = async () =>
    (await stranger('POST', '/auth/login', { email: address, password })).body as {
      mfaToken: string;
    };
  const { mfaToken } = await begin();
  await stranger('POST', '/auth/mfa/options', { mfaToken });
  await stranger('POST', '/auth/mfa', { mfaToken, ...code(1) });
  const [recoveryCode] = body.recoveryCodes as string[];
  await stranger('POST', '/auth/mfa', { ...(await begin()), recoveryCode });
  await me('POST', '/me/factors/recovery-codes');
  await me('GET', '/me/factors');
  await me('PATCH', `/me/factors/${app.id}`, { name: 'my phone' });
  await me('DELETE', `/me/factors/${app.id}`);
  asked.add('POST /me/factors/totp/:id/confirm');
}

/** Somebody makes a passkey, and uses it in each of its ways. */
async function passkeys() {
  const ida = await register({ username: 'ida-of-routes' });
  const me = client(ida.token);
  const passkey = createAuthenticator({ origin: ctx.settings.passkeyOrigins[0]!, counts: true });
  const { body: begun } = await me('POST', '/me/factors/passkeys/options');
  const made = passkey.register(begun.publicKey);
  const { challengeToken } = begun;
  await me('POST', '/me/factors/passkeys', { challengeToken, credential: made });
  const { body: again } = await me('POST', '/auth/reauthenticate/options');
  await me('POST', '/auth/reauthenticate', { credential: passkey.sign(again.publicKey) });
  await me('POST', '/me/factors/passkeys/options');
  const { body: asked } = await stranger('POST', '/auth/passkey/options', {});
  await stranger('POST', '/auth/passkey', {
    challengeToken: asked.challengeToken,
    credential: passkey.sign(asked.publicKey),
  });
  const credentials = { identifier: ida.username, password };
  const { mfaToken } = (await stranger('POST', '/auth/login', credentials)).body;
  const { body: options } = await stranger('POST', '/auth/mfa/options', { mfaToken });
  const credential = passkey.sign(options.publicKey, { bs: false });
  await stranger('POST', '/auth/mfa', { mfaToken, credential });
  await stranger('GET', '/.well-known/passkey-endpoints');
  await stranger('GET', '/.well-known/change-password');
}

async function openRoutes() {
  const address = email();
  await stranger('POST', '/auth/register', {
    username: 'eve-of-routes',
    email: address,
    password,
  });
  await verifying.ask('POST', '/auth/register', { body: { email: email(), password } });
  await verifying.ask('POST', '/auth/register', { body: { email: address, password } });
  await verifying.ask('POST', '/auth/login', { body: { email: address, password } });
  await verifying.ask('POST', '/auth/login', { body: { email: address, password: 'wrong one' } });
  await stranger('POST', '/auth/email/verify', { token: 'x'.repeat(43) });
  await stranger('POST', '/auth/email/verify', { email: address, code: '123456' });
  await stranger('POST', '/auth/email/verify/resend', { email: address });
  await stranger('POST', '/auth/email/restore', { token: 'x'.repeat(43) });
  await stranger('POST', '/auth/exchange', { code: 'x'.repeat(43), codeVerifier: 'y'.repeat(43) });
  await stranger('POST', '/auth/email-code/request', { email: address });
  const { codes } = ctx.strategies.contexts.get('email-code')!;
  const sent = await codes.issue({ recipient: address, data: { email: address }, ttlSeconds: 60 });
  await stranger('POST', '/auth/email-code', { requestToken: sent.requestToken, code: '000000' });
  const { requestToken, code } = sent;
  await stranger('POST', '/auth/email-code', { requestToken, code });
  for (const path of ['/livez', '/readyz', '/auth/strategies', '/.well-known/jwks.json'])
    await stranger('GET', path);
}

async function administration() {
  const admin = await register({}, 'admin');
  const asAdmin = client(admin.token);
  for (const filter of ['', 'role=user', 'role=admin', 'q=7', 'q=nobody-at-all', 'q=a&role=user'])
    for (const sort of ['id', '-id', 'created', '-created'])
      for (const more of ['limit=1', 'limit=100&disabled=false', 'verified=true']) {
        const path = `/admin/users?${filter}&sort=${sort}&${more}`;
        const { body } = await asAdmin('GET', path);
        if (body.nextCursor) await asAdmin('GET', `${path}&cursor=${body.nextCursor}`);
      }
  const { id, username } = await register({ username: 'bob-of-routes', email: email() });
  const times = 'after=2026-01-01T00:00:00Z&before=2099-01-01T00:00:00Z';
  const someone = ['', `subject=${id}`, `actor=${id}`, `subject=${id}&actor=${id}`];
  for (const who of someone)
    for (const filter of [`${who}&limit=1`, `${who}&type=session.started`, `${who}&${times}`]) {
      const path = `/admin/audit?${filter.replace(/^&/, '')}`;
      const { body } = await asAdmin('GET', path);
      if (body.nextCursor) await asAdmin('GET', `${path}&cursor=${body.nextCursor}`);
    }
  await asAdmin('GET', `/admin/audit/export?${times}&type=user.registered`);
  await asAdmin('GET', '/admin/audit/verify');
  await asAdmin('DELETE', `/admin/users/${id}/factors`);
  const path = `/admin/users/${id}`;
  await asAdmin('GET', path);
  await asAdmin('PATCH', path, { name: 'B', username: `${username}2`, email: email() });
  await asAdmin('PATCH', path, { disabled: true });
  await asAdmin('PATCH', path, { disabled: false, username });
  const { session } = (await stranger('POST', '/auth/login', { username, password })).body;
  await asAdmin('GET', `${path}/sessions?limit=1`);
  await asAdmin('DELETE', `${path}/sessions/${session.id}`);
  await asAdmin('DELETE', `${path}/sessions`);
  await asAdmin('DELETE', `${path}/lock`);
  await asAdmin('POST', `${path}/password-reset`, { endSessions: true });
  await asAdmin('DELETE', `/admin/users/${(await register()).id}`);
  await app.Session.update({ aal2At: new Date() }, { where: { userId: admin.id } });
  const other = `/admin/users/${(await register({ email: email() })).id}/impersonate`;
  const { body: acts } = await asAdmin('POST', other, { reason: 'x' });
  await client(acts.accessToken)('GET', '/me');
  asked.add('DELETE /admin/users/:id/sessions/:sessionId');
  const { body: invited } = await asAdmin('POST', '/admin/users', { email: email() });
  const { body: page } = await asAdmin('GET', '/admin/invitations?limit=1');
  await asAdmin('GET', `/admin/invitations?limit=1&cursor=${page.nextCursor}`);
  await asAdmin('POST', `/admin/invitations/${invited.id}/resend`);
  await asAdmin('DELETE', `/admin/invitations/${invited.id}`);
  const guest = email();
  await asAdmin('POST', '/admin/users', { email: guest });
  const token = 'x'.repeat(43);
  const link = { digest: digestOf(INVITATION, token) };
  await app.Invitation.update(link, { where: { emailCanonical: guest } });
  await stranger('POST', '/auth/invitation', { token, password });
  await asAdmin('PUT', '/admin/roles/clerk', { description: '', permissions: ['invoices:read'] });
  await asAdmin('PUT', '/admin/roles/clerk', { permissions: [] });
  const { nextCursor } = (await asAdmin('GET', '/admin/roles?limit=1')).body;
  await asAdmin('GET', `/admin/roles?limit=1&cursor=${nextCursor}`);
  await asAdmin('GET', '/admin/roles/clerk');
  for (const method of ['PUT', 'DELETE', 'PUT'])
    await asAdmin(method, `/admin/users/${id}/roles/clerk`);
  await asAdmin('DELETE', '/admin/roles/clerk');
  const run: (() => Promise<unknown>)[] = [
    () => auth.users.find(username),
    () => auth.users.verifyEmail(username),
    () => auth.users.forgetFailures(username),
    () => auth.users.setPassword(username, `${password} two`),
    () => auth.users.verifyPassword(username, password),
    () => auth.sessions.list(id),
    () => auth.sessions.endAll(id),
    () => auth.apiKeys.list(id),
    () => auth.identities.list(id),
    () => auth.roles.list(),
    () => auth.roles.create('editor'),
    () => auth.roles.set('editor', { permissions: ['invoices:read'] }),
    () => auth.roles.find('editor'),
    () => auth.roles.grant(id, 'admin'),
    () => auth.roles.revoke(id, 'admin'),
    () => auth.users.disable(id),
    () => auth.users.enable(id),
    () => webhooks(asAdmin),
    () => services(asAdmin),
    () => operations(asAdmin),
    () => auth.keys.list(),
    () => auth.keys.rotate(),
    () => auth.users.delete(id),
  ];
  for (const each of run) {
    await each();
    await explainNew();
  }
}

async function operations(asAdmin: ReturnType<typeof client>) {
  for (const path of [
    'stats',
    'stats?days=30&hours=48',
    'settings',
    'mails',
    `mails?limit=2&cursor=${userId(1)}`,
  ])
    await asAdmin('GET', `/admin/${path}`);
  await asAdmin('POST', `/admin/mails/${userId(0)}/retry`);
  await asAdmin('DELETE', `/admin/mails/${userId(0)}`);
  await asAdmin('POST', '/admin/keys/rotate', {});
}

async function services(asAdmin: ReturnType<typeof client>) {
  const body = { name: 'billing', scopes: ['introspect', 'changes', 'revoke'] };
  const { id, secret } = (await asAdmin('POST', '/admin/services', body)).body;
  await readFeed({ id, secret });
  const path = `/admin/services/${id}`;
  await asAdmin('GET', '/admin/services');
  await asAdmin('GET', path);
  await asAdmin('PATCH', path, { name: 'billing-2' });
  const { token, tokens } = await register();
  const asks = asService({ id, secret });
  await asks('/oauth/introspect', { token });
  await asks('/oauth/token', { grant_type: 'client_credentials' });
  const refresh = { grant_type: 'refresh_token', refresh_token: tokens.refreshToken };
  await ask('POST', '/oauth/token', formOf(undefined, refresh));
  await asks('/oauth/revoke', { token });
  await stranger('GET', '/oauth/authorize');
  await stranger('GET', '/.well-known/oauth-authorization-server');
  await asAdmin('POST', `${path}/secret`, {});
  await asAdmin('DELETE', path);
}

/** From the end, and from where it once stood: what changed lies between. */
async function readFeed(service: { id: string; secret: string }) {
  const headers = basicOf(service);
  const { body } = await ask('GET', '/oauth/changes', { headers });
  await auth.users.disable((await register()).id);
  await sealAll(ctx);
  await ask('GET', `/oauth/changes?after=${body.cursor}`, { headers });
  asked.add('GET /oauth/changes');
  await explainNew();
}

function asService(service: { id: string; secret: string }) {
  return async (path: string, fields: Record<string, string>) => {
    await ask('POST', path, formOf(service, fields));
    asked.add(`POST ${path}`);
    await explainNew();
  };
}

async function webhooks(asAdmin: ReturnType<typeof client>) {
  const body = { url: 'http://127.0.0.1:9/', types: ['*'] };
  const { id } = (await asAdmin('POST', '/admin/webhooks', body)).body;
  const path = `/admin/webhooks/${id}`;
  await asAdmin('GET', '/admin/webhooks');
  await asAdmin('GET', path);
  await asAdmin('PATCH', path, { description: 'x', enabled: true });
  await asAdmin('POST', `${path}/secret`, {});
  const { body: sent } = await asAdmin('POST', `${path}/test`);
  await asAdmin('GET', `${path}/deliveries?limit=1`);
  for (const query of ['state=failed', `state=delivered&cursor=${uuid()}`])
    await asAdmin('GET', `/admin/webhooks/${userId(0)}/deliveries?${query}`);
  await asAdmin('POST', `${path}/deliveries/${sent.id}/redeliver`);
  asked.add('POST /admin/webhooks/:id/deliveries/:deliveryId/redeliver');
  const enabled = await ctx.db.Webhook.findAll();
  await dispatch(ctx, enabled);
  await ctx.db.Webhook.update({ disabledAt: null }, { where: { id: userId(0) } });
  const taken = await takeDelivery(ctx, userId(0));
  const { signal } = new AbortController();
  for (const status of [204, 500, 410])
    if (taken) await deliverEvent(ctx, taken, async () => ({ status }), signal);
  await ctx.db.Webhook.update({ disabledAt: new Date(), failures: 1 }, { where: {} });
  await purgeDeliveries(ctx);
  await sealWebhookSecretsAgain(ctx).catch(() => {}); // that of the table is none
  await asAdmin('DELETE', path);
}

async function tasks() {
  for (const each of Object.values(await serverWrites(ctx)))
    for (let i = 0; i < 5; i++) await each(i);
  await explainNew();
  await purgeSessions(ctx);
  await purgeTokens(ctx);
  await purgeSignUps(ctx);
  await sealAll(ctx);
  await sealedAfter(ctx, 20_000, 10);
  await purgeAudit(ctx);
  await purgeInvitations(ctx);
  await ctx.limits.purge();
  await verifying.ctx.limits.purge();
  await tendKeys(ctx);
  await startRevocations(ctx)();
  await sealFactorsAgain(ctx);
  await ctx.clock.synchronise();
  await explainNew();
  const mail = await takeNext(ctx);
  if (mail) await deliver(ctx, mail, async () => ({}), new AbortController().signal);
  await exportUsers(ctx, false).next();
  await explainNew();
}

async function commands() {
  const cli = commandLine(env);
  const { username } = await register({ username: 'cli-user', email: email() });
  for (const line of [
    'user list',
    'user list --role admin --limit 5',
    'user list --search somebody',
    `user show ${username}`,
    `session list ${username}`,
    `api-key list ${username}`,
    'role list',
    'keys list',
    `session end --user ${username}`,
    `user unlock ${username}`,
  ]) {
    expect(await cli(line), line).toMatchObject({ code: 0 });
    await explainNew();
  }
}

it(
  'reads no table that grows from end to end, whatever is asked of the server',
  { timeout: 600_000 },
  async () => {
    await ownRoutes();
    await passkeys();
    await openRoutes();
    await administration();
    await tasks();
    await commands();
    await auth.sessions.endAllOfEverybody();
    await explainNew();
    expect(Object.keys(found).length).toBeGreaterThan(60);
    const scans = Object.entries(found).filter(([, tables]) => tables.length > 0);
    expect(Object.fromEntries(scans)).toEqual({});
    // A route that is new has to be asked above.
    const all = routes.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(all.filter((name) => !asked.has(name))).toEqual([]);
  },
);

it.each([
  ['users', "SELECT id FROM users WHERE name = 'x'"],
  ['users', "SELECT id FROM (SELECT id FROM users WHERE name = 'x' LIMIT 9) part WHERE id > 'a'"],
  ['sessions', 'DELETE FROM sessions WHERE ended_at IS NOT NULL AND ip IS NULL'],
])('would see a statement that reads all of %s', async (table, sql) => {
  expect(await scansOf({ sql, bind: [] })).toEqual([table]);
});

it.runIf(engine === 'sqlite')("would see what SQLite makes of include: ['roles']", async () => {
  const statements = collectStatements(ctx.db);
  await ctx.db.User.findByPk(uuid(), { include: ['roles'] });
  const [statement] = [...statements.values()].slice(-1);
  expect(await scansOf(statement!)).toEqual(['user_roles']);
});
