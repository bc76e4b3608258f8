import { globSync, readFileSync } from 'node:fs';
import { v7 as uuid } from 'uuid';
import { describe, expect, it } from 'vitest';
import { grantRole, revokeRole } from '#src/access/roles';
import { disableUser, enableUser } from '#src/account/disable';
import { requestEmailChange } from '#src/email/change-email';
import { issueAuthorizationCode, spendAuthorizationCode } from '#src/federation/authorization-code';
import { unlinkIdentity } from '#src/federation/link';
import { setPassword } from '#src/passwords/set-password';
import { setRole } from '#src/roles/change-role';
import { proveAgain } from '#src/sessions/reauthenticate';
import { resumeSession } from '#src/sessions/resume';
import { verifyAccessToken } from '#src/sessions/access-tokens';
import { ProviderProfile } from '#src/strategy-kit/provider-profile';
import { password, startApp } from '#test/support/app';
import { openMailbox } from '#test/support/mailbox';
import { authorizationRequest } from '#test/support/pkce';
import { root } from '#test/support/process';

const mailbox = await openMailbox();
const app = await startApp({ ...mailbox.env, EMAIL_VERIFICATION: 'optional' });
const { ctx, ask, register, logIn, User, Role, Session, Identity } = app;
let people = 0;
const address = () => `pending${++people}@example.com`;
const email = (text: string) => ({ display: text, canonical: text });
const another = 'another long password';
const editor = async () => (await Role.findOne({ where: { name: 'moderator' } }))!;

/** Somebody for whom everything is pending that can be. */
async function withEverythingPending() {
  const [own, next] = [address(), address()];
  const me = await register({ email: own });
  const verification = await mailbox.next(own);
  await grantRole(ctx, me, await editor());
  const identity = { userId: me.id, provider: 'far', subject: me.id, email: null };
  const { id: identityId } = await Identity.create({ id: me.id, ...identity });
  await ask('POST', '/auth/email/verify/resend', { body: { email: own } });
  const verify = await mailbox.next(own);
  await ask('POST', '/auth/password/forgot', { body: { email: own } });
  const reset = await mailbox.next(own);
  const principal = await resumeSession(ctx, await verifyAccessToken(ctx, me.token));
  await proveAgain(ctx, principal, ['pwd']);
  await requestEmailChange(ctx, principal, email(next), password);
  const change = await mailbox.next(next);
  const { codeVerifier: verifier, codeChallenge } = authorizationRequest('', 'far', '');
  const profile = new ProviderProfile('far', { subject: me.id });
  const user = (await User.findByPk(me.id, { include: ['roles'] }))!;
  const codes = [
    await issueAuthorizationCode(ctx, 'far', { profile }, codeChallenge),
    await issueAuthorizationCode(ctx, 'far', { user }, codeChallenge),
  ];
  return { ...me, own, next, identityId, verification, verify, reset, change, verifier, codes };
}
type Pending = Awaited<ReturnType<typeof withEverythingPending>>;

/** Whatever changes who a user is or what they may do. */
const changes: Record<string, (me: Pending) => Promise<unknown>> = {
  'disabling and enabling': async ({ id }) => {
    await disableUser(ctx, id);
    await enableUser(ctx, id);
  },
  'another role': async (me) =>
    grantRole(ctx, me, (await Role.findOne({ where: { name: 'admin' } }))!),
  'a role less': async (me) => revokeRole(ctx, me, await editor()),
  'a changed password': (me) =>
    me.ask('PUT', '/me/password', { body: { currentPassword: password, newPassword: another } }),
  'a password set by an operator': ({ id }) => setPassword(ctx, id, another),
  'a provider that is unlinked': ({ id, identityId }) => unlinkIdentity(ctx, id, identityId, []),
  'a changed address': ({ change }) => ask('POST', '/auth/email/verify', { body: change.secrets }),
  'a password that was forgotten': ({ reset }) =>
    ask('POST', '/auth/password/reset', { body: { ...reset.secrets, password: another } }),
};

describe.each(Object.keys(changes))('%s', (what) => {
  it('makes void whatever was proved or mailed before, and was not used (F-16)', async () => {
    const me = await withEverythingPending();
    await changes[what]!(me);
    const { body } = await ask('POST', '/auth/password/reset', {
      body: { ...me.reset.secrets, password: 'yet another password' },
    });
    expect(body.code).toBe('invalid_code');
    for (const { secrets } of [me.change, me.verify])
      expect((await ask('POST', '/auth/email/verify', { body: secrets })).body.code).toBe(
        'invalid_code',
      );
    for (const code of me.codes)
      await expect(spendAuthorizationCode(ctx, code, me.verifier)).rejects.toMatchObject({
        code: 'invalid_code',
      });
    const sessions = await Session.findAll({ where: { userId: me.id, endedAt: null } });
    expect(sessions.filter(({ authenticatedAt }) => authenticatedAt !== null)).toEqual([]);
    expect((await logIn(me.own, 'yet another password')).status).toBe(401);
  });
});

it('a role that allows more makes void what was sent to those who have it, and to nobody else', async () => {
  const { id } = await Role.create({ id: uuid(), name: 'promoted', permissions: 'invoices:read' });
  const [holder, other] = [await withEverythingPending(), await withEverythingPending()];
  await ctx.db.UserRole.create({ userId: holder.id, roleId: id });
  const tokens = (userId: string) => app.OneTimeToken.count({ where: { userId } });
  const before = await tokens(holder.id);
  await setRole(ctx, 'promoted', { permissions: [] });
  expect(await tokens(holder.id)).toBe(before);
  await setRole(ctx, 'promoted', { permissions: ['*'] });
  const reset = ({ reset: { secrets } }: Pending) =>
    ask('POST', '/auth/password/reset', { body: { ...secrets, password: another } });
  expect((await reset(holder)).body.code).toBe('invalid_code');
  for (const { secrets } of [holder.change, holder.verify])
    expect((await ask('POST', '/auth/email/verify', { body: secrets })).status).toBe(400);
  expect((await reset(other)).status).toBe(204);
});

it('what is pending is good without such a change', async () => {
  const [one, two] = [await withEverythingPending(), await withEverythingPending()];
  const body = { ...one.reset.secrets, password: another };
  expect((await ask('POST', '/auth/password/reset', { body })).status).toBe(204);
  for (const code of two.codes)
    await expect(spendAuthorizationCode(ctx, code, two.verifier)).resolves.toBeDefined();
  expect((await ask('POST', '/auth/email/verify', { body: two.verify.secrets })).status).toBe(204);
  expect((await ask('POST', '/auth/email/verify', { body: two.change.secrets })).status).toBe(204);
});

it('every file that changes who a user is or what they may do voids what is pending', () => {
  const files = globSync('src/**/*.ts', { cwd: root }).map(
    (file) => [file, readFileSync(root + file, 'utf8')] as const,
  );
  const changing =
    /\b(UserRole\.(create|destroy)|[iI]dentity\.destroy|deleteIdentities\(|(User|user|holder)\.update\()/;
  const without = files
    .filter(([, source]) => changing.test(source) && !/\bvoid(Pending|Tokens)\(/.test(source))
    .map(([file]) => file);
  expect(without.sort()).toEqual([
    'src/account/me.ts', // names, which open nothing
    'src/admin/edit-user.ts', // names, too; other files do the rest
    'src/email/verify-email.ts', // the address stays, and is proved
    'src/import-export/import-tutorial.ts', // new users
    'src/passwords/verify-credentials.ts', // the same password, hashed anew
    'src/provider-grants/provider-grants.ts', // those who delete identities do
    'src/roles/change-role.ts', // takes a role that is deleted from everybody
    'src/users/create-user.ts', // a new user
  ]);
});
