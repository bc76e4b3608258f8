import { describe, expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { statusesOf } from '#test/support/client';
import { SECOND, wait } from '#test/support/clock';
import { openMailbox } from '#test/support/mailbox';
import { rounds } from '#test/support/rounds';

const mailbox = await openMailbox();
const { ctx, ask, register, logIn, User, Identity, ApiKey, OneTimeToken } = await startApp({
  ...mailbox.env,
  API_KEYS: 'on',
  PUBLIC_URL: 'https://auth.example',
});
let people = 0;
const address = () => `mover${++people}@example.com`;
const verify = (body: object) => ask('POST', '/auth/email/verify', { body });
const restore = (body: object) => ask('POST', '/auth/email/restore', { body });
const refused = { status: 400, code: 'invalid_code' };

/** Somebody whose address is proved. */
async function settled() {
  const email = address();
  const user = await register({ email });
  await User.update({ emailVerifiedAt: new Date() }, { where: { id: user.id } });
  const change = (to: string, currentPassword: string | undefined = password) =>
    user.ask('POST', '/me/email', {
      body: { email: to, ...(currentPassword && { currentPassword }) },
    });
  const now = async () => (await User.findByPk(user.id))!;
  return { ...user, email, change, now };
}

describe('POST /me/email', () => {
  it('changes nothing before the new address confirms; the old one is told (V-14)', async () => {
    const me = await settled();
    const to = address();
    const answer = await me.change(to);
    expect([answer.status, answer.text]).toEqual([202, '']);
    expect((await me.now()).email).toBe(me.email);
    expect((await mailbox.next(me.email)).subject).toBe('Your e-mail address is being changed');
    const { link, secrets } = await mailbox.next(to);
    expect(link).toMatch(/^https:\/\/auth\.example\/confirm-email\?token=/);
    expect((await verify(secrets)).status).toBe(204);
    expect(await me.now()).toMatchObject({ email: to, emailCanonical: to });
    expect((await me.now()).emailVerifiedAt).not.toBeNull();
    expect((await verify(secrets)).body).toMatchObject(refused);
    expect([(await logIn(to)).status, (await logIn(me.email)).status]).toEqual([200, 401]);
  });

  it('is shown to who asked for it until it is confirmed, or for a day', async () => {
    const me = await settled();
    const own = async () => (await me.ask('GET', '/me/email')).body as unknown;
    const [first, second] = [address().replace('m', 'M'), address()];
    const before = { email: me.email, emailVerified: true, pendingEmail: null };
    expect(await own()).toEqual(before);
    await me.change(first);
    expect(await own()).toEqual({ ...before, pendingEmail: first });
    await me.change(second);
    expect(await own()).toEqual({ ...before, pendingEmail: second });
    await OneTimeToken.update({ expiresAt: new Date() }, { where: { userId: me.id } });
    expect(await own(), 'it has expired').toEqual(before);
    await me.change(first);
    await mailbox.next(first);
    await verify((await mailbox.next(first)).secrets);
    expect(await own()).toEqual({ email: first, emailVerified: true, pendingEmail: null });
    expect((await ask('GET', '/me/email')).status).toBe(401);
  });

  it('needs the password', async () => {
    const me = await settled();
    expect((await me.change(address(), 'not the password')).body.code).toBe('invalid_credentials');
    expect((await me.ask('POST', '/me/email', { body: { email: address() } })).body.code).toBe(
      'invalid_credentials',
    );
    expect((await ask('POST', '/me/email', { body: { email: address() } })).status).toBe(401);
  });

  it('needs a sign-in that is not long ago of somebody without a password', async () => {
    const me = await settled();
    await User.update({ passwordHash: null }, { where: { id: me.id } });
    const to = address();
    wait(301 * SECOND);
    expect((await me.ask('POST', '/me/email', { body: { email: to } })).body).toMatchObject({
      status: 403,
      code: 'step_up_required',
    });
    vi.useRealTimers();
    const next = await settled();
    await User.update({ passwordHash: null }, { where: { id: next.id } });
    expect((await next.ask('POST', '/me/email', { body: { email: to } })).status).toBe(202);
  });

  it('answers the same for an address that somebody has, whose owner is told', async () => {
    const [me, owner] = [await settled(), await settled()];
    expect((await me.change(owner.email)).status).toBe(202);
    expect((await mailbox.next(owner.email)).subject).toBe('You are registered already');
  });

  it('refuses the address that one has, by any spelling', async () => {
    const me = await settled();
    const answer = await me.change(me.email.toUpperCase());
    expect([answer.status, answer.body.errors]).toEqual([
      400,
      [{ pointer: '/email', code: 'unchanged', message: 'This is the address you have' }],
    ]);
    expect((await me.change(me.email, 'not the password')).body.code).toBe('invalid_credentials');
  });

  it('is void by a second request, and when the address is taken meanwhile', async () => {
    const me = await settled();
    const [first, second] = [address(), address()];
    await me.change(first);
    await me.change(second);
    const [one, two] = [await mailbox.next(first), await mailbox.next(second)];
    expect((await verify(one.secrets)).body).toMatchObject(refused);
    await register({ email: second });
    expect((await verify(two.secrets)).body).toMatchObject({ status: 409, code: 'email_taken' });
    expect((await me.now()).email).toBe(me.email);
  });

  it('makes void what was mailed to choose a new password (V-14)', async () => {
    const me = await settled();
    const to = address();
    await ask('POST', '/auth/password/forgot', { body: { email: me.email } });
    const { secrets } = await mailbox.next(me.email);
    await me.change(to);
    await verify((await mailbox.next(to)).secrets);
    expect(
      (
        await ask('POST', '/auth/password/reset', {
          body: { ...secrets, password: 'another long password' },
        })
      ).body,
    ).toMatchObject(refused);
  });

  it('of ten confirmations at once, one wins', async () => {
    for (let round = 0; round < rounds(2, 100); round++) {
      const me = await settled();
      const to = address();
      await me.change(to);
      const { secrets } = await mailbox.next(to);
      const answers = await Promise.all(Array.from({ length: 10 }, () => verify(secrets)));
      expect(statusesOf(answers).filter((status) => status === 204)).toHaveLength(1);
    }
  });
});

describe('POST /auth/email/restore', () => {
  async function stolen() {
    const me = await settled();
    const to = address();
    await me.change(to);
    const { secrets } = await mailbox.next(me.email);
    await verify((await mailbox.next(to)).secrets);
    return { me, to, secrets };
  }

  it('gives the old address back, and takes everything from the one who changed it', async () => {
    const { me, to, secrets } = await stolen();
    await ApiKey.create({
      id: me.id,
      userId: me.id,
      name: 'thief',
      digest: me.id.padEnd(64, '0'),
      last4: 'aaaa',
      scopes: 'user',
    });
    await Identity.create({
      id: me.id,
      userId: me.id,
      provider: 'far',
      subject: me.id,
      email: null,
    });
    expect((await restore(secrets)).status).toBe(204);
    expect(await me.now()).toMatchObject({ email: me.email, passwordHash: null });
    expect((await me.ask('GET', '/me')).body.code).toBe('session_ended');
    expect([(await logIn(me.email)).status, (await logIn(to)).status]).toEqual([401, 401]);
    expect([
      await Identity.count({ where: { userId: me.id } }),
      await ApiKey.count({ where: { userId: me.id } }),
    ]).toEqual([0, 0]);
    const mail = await mailbox.next(me.email);
    expect(mail.subject).toBe('Choose a new password');
    expect(
      (
        await ask('POST', '/auth/password/reset', {
          body: { ...mail.secrets, password: 'another long password' },
        })
      ).status,
    ).toBe(204);
    expect((await logIn(me.email, 'another long password')).status).toBe(200);
  });

  it('cannot be blocked by signing up with the old address, and says what became of who did', async () => {
    for (const more of [{}, { username: `squatter${people}` }]) {
      const { me, secrets } = await stolen();
      const squatter = await register({ email: me.email, ...more });
      const events: unknown[] = [];
      const stop = ctx.events.onAny((name, event) => void events.push([name, event]));
      expect((await restore(secrets)).status).toBe(204);
      stop();
      expect((await me.now()).email).toBe(me.email);
      const lost = ['username' in more ? 'user.email_changed' : 'user.deleted'];
      expect(events).toContainEqual([...lost, { userId: squatter.id }]);
      const left = await User.findByPk(squatter.id);
      expect(left && { username: left.username, email: left.email }).toEqual(
        'username' in more ? { username: more.username, email: null } : null,
      );
    }
  });

  it('stops at somebody with more rights than everybody has: an administrator is not removed for an address', async () => {
    const { me, to, secrets } = await stolen();
    const admin = await register({ email: me.email }, 'admin');
    expect((await restore(secrets)).body).toMatchObject({ status: 409, code: 'email_taken' });
    expect((await admin.ask('GET', '/admin/users')).status).toBe(200);
    expect((await me.now()).email).toBe(to);
  });

  it('stops at somebody who has proved the old address meanwhile', async () => {
    const { me, to, secrets } = await stolen();
    const heir = await register({ email: me.email });
    await User.update({ emailVerifiedAt: new Date() }, { where: { id: heir.id } });
    expect((await restore(secrets)).body).toMatchObject({ status: 409, code: 'email_taken' });
    expect((await me.now()).email).toBe(to);
  });

  it('makes the links of later changes void: the thief cannot undo the undo', async () => {
    const { me, to, secrets } = await stolen();
    const further = address();
    await me.change(further);
    await verify((await mailbox.next(further)).secrets);
    const ofThief = await mailbox.next(to); // the thief's first address was the old one this time
    expect(ofThief.subject).toBe('Your e-mail address is being changed');
    expect((await restore(secrets)).status).toBe(204);
    expect((await restore(ofThief.secrets)).body).toMatchObject(refused);
    expect((await me.now()).email).toBe(me.email);
  });

  it('works once, for 72 hours, also after a second change', async () => {
    wait(0);
    const { me, to, secrets } = await stolen();
    const further = address();
    await me.change(further);
    await verify((await mailbox.next(further)).secrets);
    expect((await mailbox.next(to)).subject).toBe('Your e-mail address is being changed');
    const late = await stolen();
    wait((72 * 3600 - 5) * SECOND);
    expect((await restore(secrets)).status).toBe(204);
    expect((await me.now()).email).toBe(me.email);
    expect((await restore(secrets)).body).toMatchObject(refused);
    wait(10 * SECOND);
    expect((await restore(late.secrets)).body).toMatchObject(refused);
    vi.useRealTimers();
  });

  it('is not offered to an address that was never proved, which is told all the same', async () => {
    const email = address();
    const me = await register({ email, name: 'Ada' });
    const to = address();
    await me.ask('POST', '/me/email', { body: { email: to, currentPassword: password } });
    const notice = await mailbox.next(email);
    expect(notice.subject).toBe('Your e-mail address is being changed');
    expect([notice.link, notice.text.includes('Ada')]).toEqual(['', false]); // it may be a stranger’s
    const old = { userId: me.id, purpose: 'restore e-mail' };
    expect(await OneTimeToken.count({ where: old })).toBe(0);
    await verify((await mailbox.next(to)).secrets);
    expect((await me.ask('GET', '/me')).body.email).toBe(to);
  });

  it('also deletes what was set up before the change was asked for: the thief may have been in', async () => {
    const me = await settled();
    const provider = { userId: me.id, provider: 'far', subject: me.id, email: null };
    await Identity.create({ id: me.id, ...provider });
    const key = await me.ask('POST', '/me/api-keys', { body: { name: 'thief', scopes: ['user'] } });
    wait(3600 * SECOND);
    const thief = (await logIn(me.email)).body;
    const to = address();
    await ask('POST', '/me/email', {
      token: thief.accessToken,
      body: { email: to, currentPassword: password },
    });
    const { secrets } = await mailbox.next(me.email);
    await verify((await mailbox.next(to)).secrets);
    expect((await restore(secrets)).status).toBe(204);
    expect(await Identity.count({ where: { userId: me.id } })).toBe(0);
    const byKey = await ask('GET', '/me', { headers: { 'x-api-key': key.body.key } });
    expect(byKey.body.code).toBe('token_invalid');
    const refresh = { body: { refreshToken: thief.refreshToken } };
    expect((await ask('POST', '/auth/refresh', refresh)).body.code).toBe('invalid_grant');
    vi.useRealTimers();
  });

  it.each([{}, { token: null }, { token: '' }, { token: 'x', surplus: 1 }])(
    'refuses %j',
    async (body) => {
      expect((await restore(body)).body).toMatchObject({ status: 400, code: 'invalid_request' });
    },
  );
});

describe('changing the password', () => {
  it('is told to the address', async () => {
    const me = await settled();
    await me.ask('PUT', '/me/password', {
      body: { currentPassword: password, newPassword: 'another long password' },
    });
    expect((await mailbox.next(me.email)).subject).toBe('Your password was changed');
  });
});
