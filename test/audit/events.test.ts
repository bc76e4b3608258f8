import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { AuditEntry } from '#models/index';
import { sealAll } from '#src/audit/sealing-worker';
import { importUsers } from '#src/import-export/import-users';
import { password } from '#test/support/app';
import { commandLine, speaking } from '#test/support/command';
import { eventually } from '#test/support/eventually';
import { statuses, times } from '#test/support/limited';
import { openMailbox } from '#test/support/mailbox';
import { startPasskeys } from '#test/support/passkeys';
import { root } from '#test/support/process';
import { addApp } from '#test/support/second-factor';
import { folderOf, providerFile } from '#test/support/strategy-folder';

const mailbox = await openMailbox();
const app = await startPasskeys({
  ...mailbox.env,
  API_KEYS: 'on',
  TRUST_PROXY: '1',
  LIMITS: 'on',
  LIMIT_SIGN_UPS_PER_NETWORK: '1000/1h',
  EMAIL_VERIFICATION: 'optional',
  STRATEGIES_DIR: folderOf({ 'far.mjs': providerFile('far') }),
});
const { ask, ctx, enrol, env, logIn, newAuthenticator, owner, register, signIn } = app;
const { does } = speaking(commandLine(env));
const { AuditEntry: Entry } = ctx.db;

/** What must stand in no entry. */
const secrets: string[] = [password];
let people = 0;
async function newPerson(...roles: string[]) {
  const n = ++people;
  const fields = { email: `canary${n}@example.com`, username: `canary${n}`, name: `Canary ${n}` };
  const person = await register(fields, ...roles);
  secrets.push(...Object.values(fields), person.tokens.accessToken, person.tokens.refreshToken);
  return { ...person, ...fields, mails: () => mailbox.next(fields.email) };
}
const done = async (answer: Promise<{ status: number; text: string }>) => {
  const { status, text } = await answer;
  expect(status, text).toBeLessThan(300);
};

async function accounts() {
  const ada = await newPerson();
  await done(ada.ask('PATCH', '/me', { body: { name: 'Another canary' } }));
  await done(ask('POST', '/auth/email/verify', { body: (await ada.mails()).secrets }));
  const email = 'canary-moved@example.com';
  await done(ada.ask('POST', '/me/email', { body: { email, currentPassword: password } }));
  const { secrets: undo } = await ada.mails();
  const { secrets: moved } = await mailbox.next(email);
  secrets.push(email, ...Object.values({ ...undo, ...moved }));
  await done(ask('POST', '/auth/email/verify', { body: moved }));
  await done(ask('POST', '/auth/email/restore', { body: undo }));
  const eve = await newPerson();
  const newPassword = 'another canary of a password';
  secrets.push(newPassword, 'a wrong password');
  const body = { currentPassword: password, newPassword };
  await done(eve.ask('PUT', '/me/password', { body }));
  const { body: again } = await logIn(eve.username, newPassword);
  const { body: made } = await ask('POST', '/me/api-keys', {
    token: again.accessToken,
    body: { name: 'canary of a key' },
  });
  secrets.push(made.key, 'canary of a key');
  const token: string = again.accessToken;
  await done(ask('DELETE', `/me/api-keys/${made.id}`, { token }));
  await done(ask('POST', '/auth/reauthenticate', { token, body: { password: newPassword } }));
  await done(ask('DELETE', '/me', { token, body: { password: newPassword } }));
}

async function factors() {
  const ada = await owner();
  const { factorId, secret, recoveryCodes } = { ...(await addApp(ctx, ada)), ...ada };
  secrets.push(secret, ...recoveryCodes);
  await done(ada.ask('PATCH', `/me/factors/${factorId}`, { body: { name: 'canary of a phone' } }));
  secrets.push('canary of a phone');
  const { body: renewed } = await ada.ask('POST', '/me/factors/recovery-codes');
  secrets.push(...renewed.recoveryCodes);
  const { mfaToken } = (await logIn(ada.username)).body;
  const [recoveryCode] = renewed.recoveryCodes;
  secrets.push(mfaToken);
  await done(ask('POST', '/auth/mfa', { body: { mfaToken, recoveryCode } }));
  await done(ada.ask('DELETE', `/me/factors/${factorId}`));
  await does(`user reset-mfa ${ada.username} --yes`);
  const { authenticator } = await owner({ counts: true });
  await signIn(authenticator, { counter: 9 });
  expect((await signIn(authenticator, { counter: 3 })).status).toBe(401);
  await enrol(await newPerson(), newAuthenticator());
}

async function sessions() {
  const ada = await newPerson();
  await logIn(ada.username, 'a wrong password');
  await logIn('canary-of-nobody', 'a wrong password');
  secrets.push('canary-of-nobody');
  const { refreshToken } = ada.tokens;
  const refresh = (held: string) => ask('POST', '/auth/refresh', { body: { refreshToken: held } });
  const next = (await refresh(refreshToken)).body.refreshToken;
  await refresh((await refresh(next)).body.refreshToken);
  expect((await refresh(refreshToken)).body.reason).toBe('reused');
  const elsewhere = { 'x-forwarded-for': '203.0.113.9', 'user-agent': 'another device' };
  const body = { identifier: ada.username, password };
  await done(ask('POST', '/auth/login', { body, headers: elsewhere }));
  const guess = () =>
    ask('POST', '/auth/login', {
      body: { identifier: 'canary-of-nobody', password: 'a wrong password' },
      headers: { 'x-forwarded-for': '203.0.113.77' },
    });
  expect(statuses(await times(31, guess))).toContain(429);
}

async function providers() {
  const far = (body: object) => ask('POST', '/auth/far', { body });
  await done(far({ subject: 'canary-subject', email: 'canary-far@example.com' }));
  secrets.push('canary-subject', 'canary-far@example.com');
  const ada = await newPerson();
  const linked = await ada.ask('POST', '/me/identities/far', { body: { subject: 'canary-two' } });
  secrets.push('canary-two');
  await done(ada.ask('DELETE', `/me/identities/${linked.body.id}`));
  const eve = await newPerson();
  await done(far({ subject: 'canary-three', email: eve.email, emailVerified: true }));
}

async function administration() {
  const ada = await newPerson();
  await does('role create canary');
  await does(`role grant ${ada.username} canary`);
  await does(`role revoke ${ada.username} canary`);
  await does('role set canary --permissions things:read');
  await does('role delete canary --yes');
  await does(`user unlock ${ada.username}`);
  await does(`user reset-password ${ada.username} --yes`);
  await does(`user disable ${ada.username}`);
  await does(`user enable ${ada.username}`);
  await does('keys rotate');
  const line = { username: 'canary-imported', email: 'canary-imported@example.com' };
  secrets.push(...Object.values(line));
  async function* entries() {
    yield { number: 1, value: line };
  }
  await importUsers(ctx, entries(), () => {});
  mailbox.answer('RCPT', 550);
  await newPerson();
  await eventually(async () =>
    expect(await Entry.count({ where: { type: 'mail.failed' } })).toBeGreaterThan(0),
  );
  mailbox.answer('RCPT', 'accept');
  await sealAll(ctx);
  await ctx.db.AuditChain.update({ tipSeq: 1 }, { where: {} });
  await newPerson();
  await sealAll(ctx);
}

const source = readFileSync(join(root, 'src/events.ts'), 'utf8').replaceAll(/\/\*\*.*?\*\//gs, '');
/** Every event, and whether it names a user always. */
const declared = new Map(
  [...source.matchAll(/^ {2}'([a-z_.]+)': \{([^}]*)\}/gm)].map(([, name, fields]) => [
    name!,
    /\buserId:/.test(fields!),
  ]),
);
/** These have tests of their own, which make them happen. */
const ELSEWHERE = /^(invitation|webhook|service)\.|^(session\.impersonated|mail\.dropped)$/;
const NOBODY = ['session.refused', 'limit.reached', 'session.reused', 'passkey.copied'];
const BY_SERVER = ['mail.sent', 'mail.failed', 'audit.unproved'];

function expectWhole(entry: AuditEntry): void {
  const { type, actor, actorKind, subject, ip, requestId } = entry;
  const what = JSON.stringify(entry.get());
  if (declared.get(type)) expect(subject, what).toMatch(/^[\da-f-]{36}$/);
  if (NOBODY.includes(type)) expect([actor, actorKind], what).toEqual([null, 'anonymous']);
  else if (BY_SERVER.includes(type)) expect([actor, actorKind], what).toEqual([null, 'server']);
  else if (requestId === null) expect(['cli', 'server'], what).toContain(actorKind);
  else if (JSON.parse(entry.details).why === 'reused') expect(actor, what).toBeNull();
  else expect([actorKind, actor], what).toEqual(['user', subject]);
  expect(ip === null, what).toBe(requestId === null);
  if (type.startsWith('session.') && !/refused|challenged/.test(type))
    expect(entry.sessionId, what).not.toBeNull();
}

it('every event is in the trail with who, whom, where and in which request, and without a secret or a name', async () => {
  await accounts();
  await factors();
  await sessions();
  await providers();
  await administration();
  await eventually(async () => expect(await ctx.db.OutgoingMail.count()).toBeLessThan(1));
  const entries = await Entry.findAll();
  const seen = new Set(entries.map(({ type }) => type));
  // An event that is new has to be made happen above.
  const here = [...declared.keys()].filter((name) => !ELSEWHERE.test(name));
  expect(here.filter((name) => !seen.has(name))).toEqual([]);
  for (const entry of entries) expectWhole(entry);
  const text = JSON.stringify(
    entries.map((entry) => ({ ...entry.get(), keyId: '', mac: '', hash: '' })), // random letters
  );
  for (const secret of secrets) expect(text).not.toContain(secret);
  expect(text).not.toMatch(/canary\d|Canary|@|\$2[aby]\$/);
});
