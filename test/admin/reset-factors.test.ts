import { expect, describe, it } from 'vitest';
import type { EventMap } from '#src/events';
import { password, startApp } from '#test/support/app';
import { commandLine, speaking } from '#test/support/command';
import { openMailbox } from '#test/support/mailbox';
import { addApp } from '#test/support/second-factor';

const mailbox = await openMailbox();
const app = await startApp({ ...mailbox.env, API_KEYS: 'on', MFA_REQUIRED_ROLES: 'press' });
const { auth, ctx, ask, env, register, logIn, Factor, RecoveryCode, Session, User } = app;
await auth.roles.create('press');
const admin = await register({}, 'admin');
const { does, refuses, json } = speaking(commandLine(env));

const heard: EventMap['factors.reset'][] = [];
ctx.events.on('factors.reset', (event) => void heard.push(event));

let made = 0;
async function withFactor() {
  const email = `ada${++made}@example.com`;
  const me = await register({ email });
  await User.update({ emailVerifiedAt: new Date() }, { where: { id: me.id } });
  return { ...me, email, ...(await addApp(ctx, me)) };
}
type Person = Awaited<ReturnType<typeof withFactor>>;
const reset = (id: string, token = admin.token) =>
  ask('DELETE', `/admin/users/${id}/factors`, { token });
/** Skips the mail about the factor that was added. */
const told = async (email: string) => {
  for (;;) {
    const { subject } = await mailbox.next(email);
    if (subject !== 'A second factor was added') return subject;
  }
};

async function expectReset(me: Person) {
  expect(await Factor.count({ where: { userId: me.id } })).toBe(0);
  expect(await RecoveryCode.count({ where: { userId: me.id } })).toBe(0);
  expect((await User.findByPk(me.id))!.factors).toBe(0);
  expect(await told(me.email)).toBe('Your second factors were removed');
  expect(heard.at(-1)).toEqual({ userId: me.id, factors: 1 });
  const { body } = await me.ask('GET', '/me/sessions');
  expect(body.data[0]).toMatchObject({ acr: 'aal1', amr: ['pwd', 'otp'] });
  const signedIn = await logIn(me.email);
  expect(signedIn.status, signedIn.text).toBe(200);
}

describe('DELETE /admin/users/{id}/factors', () => {
  it('takes all factors and recovery codes, tells the user, and makes their sessions aal1', async () => {
    const me = await withFactor();
    expect((await logIn(me.email)).body.code).toBe('mfa_required');
    expect((await reset(me.id)).status).toBe(204);
    await expectReset(me);
  });

  it('makes a sign-in void that waits for the factor', async () => {
    const me = await withFactor();
    const { mfaToken } = (await logIn(me.email)).body;
    await reset(me.id);
    const { status, body } = await ask('POST', '/auth/mfa', {
      body: { mfaToken, code: me.code() },
    });
    expect([status, body.code]).toEqual([400, 'invalid_code']);
  });

  it('does nothing for who has none, and knows nobody else', async () => {
    const me = await register();
    const before = heard.length;
    expect((await reset(me.id)).status).toBe(204);
    expect(heard.length).toBe(before);
    expect((await reset('0197f0a0-5b1c-7d3e-9a52-3c1d5e7f9b20')).status).toBe(404);
    expect((await reset('x')).body.code).toBe('invalid_request');
  });

  it('is for administrators who signed in lately, and not for their API keys', async () => {
    const me = await withFactor();
    const { id } = me;
    const other = await register({}, 'moderator');
    expect((await reset(id, other.token)).body).toMatchObject({ required: ['factors:reset'] });
    expect((await reset(id, me.token)).status).toBe(403);
    expect((await ask('DELETE', `/admin/users/${id}/factors`)).status).toBe(401);
    const { body } = await admin.ask('POST', '/me/api-keys', {
      body: { name: 'robot', scopes: ['admin'] },
    });
    const headers = { 'x-api-key': body.key };
    expect((await ask('DELETE', `/admin/users/${id}/factors`, { headers })).body).toMatchObject({
      code: 'forbidden',
      required: ['session'],
    });
    const stale = await register({}, 'admin');
    const where = { userId: stale.id };
    const createdAt = ctx.clock.date(-2 * 3_600_000);
    await Session.update({ createdAt }, { where, silent: true });
    expect((await reset(id, stale.token)).body).toMatchObject({ code: 'step_up_required' });
    const careful = await register({}, 'admin');
    const onlyPassword = (await logIn(careful.username)).body.accessToken;
    await addApp(ctx, careful);
    expect((await reset(id, onlyPassword)).body).toMatchObject({
      code: 'step_up_required',
      acrValues: ['aal2'],
    });
    expect((await User.findByPk(id))!.factors).toBe(1);
  });

  it('is no way around the rule that a role requires a factor', async () => {
    const own = await register({}, 'admin', 'press');
    await addApp(ctx, own);
    const { status, body } = await reset(own.id, own.token);
    expect([status, body.code]).toEqual([409, 'last_factor']);
    const ada = await register({}, 'press');
    await addApp(ctx, ada);
    expect((await reset(ada.id)).status).toBe(204);
    expect((await ada.ask('GET', '/me/sessions')).body.code).toBe('mfa_enrollment_required');
    await addApp(ctx, ada);
    expect((await ada.ask('GET', '/me/sessions')).status).toBe(200);
  });
});

describe('the same', () => {
  it('by the app that embeds the server', async () => {
    const me = await withFactor();
    expect(await auth.users.resetFactors(me.email)).toBe(1);
    await expectReset(me);
    expect(await auth.users.resetFactors(me.email)).toBe(0);
    await expect(auth.users.resetFactors('nobody')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('on the command line, which asks before: user reset-mfa', async () => {
    const me = await withFactor();
    await refuses(`user reset-mfa ${me.email}`, /confirm it with --yes/);
    expect((await User.findByPk(me.id))!.factors).toBe(1);
    expect(await does(`user reset-mfa ${me.email} --yes`)).toBe(
      `${me.email} has no second factor any more.\n`,
    );
    expect((await User.findByPk(me.id))!.factors).toBe(0);
    expect(await told(me.email)).toBe('Your second factors were removed');
    expect(await json(`user reset-mfa ${me.email} --yes`)).toEqual({ userId: me.id, removed: 0 });
    await refuses('user reset-mfa nobody --yes', /^There is no such user/);
    expect((await logIn(me.email, password)).status).toBe(200);
  });
});
