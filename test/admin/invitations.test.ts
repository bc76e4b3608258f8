import { expect, describe, it } from 'vitest';
import { purgeInvitations } from '#src/invitations/list';
import { password, startApp } from '#test/support/app';
import { statusesOf } from '#test/support/client';
import { commandLine, speaking } from '#test/support/command';
import { DAY } from '#test/support/clock';
import { emailCodes } from '#test/support/email-code';
import { eventually } from '#test/support/eventually';
import { askLate } from '#test/support/late';
import { openMailbox } from '#test/support/mailbox';
import { rounds } from '#test/support/rounds';
import { folderOf, providerFile } from '#test/support/strategy-folder';
import { heldOpen, underWay } from '#test/support/under-way';

const mailbox = await openMailbox();
const app = await startApp({
  ...mailbox.env,
  SIGNUP: 'closed',
  EMAIL_CODE: 'on',
  STRATEGIES_DIR: folderOf({ 'far.mjs': providerFile('far') }),
});
const { auth, ctx, ask, env, logIn, url, Invitation, Session, SignUp, User } = app;
const { does, json, refuses } = speaking(commandLine(env));
const { enter } = emailCodes(ask, mailbox);

let made = 0;
const address = () => `guest${++made}@example.com`;
/** Nobody can register here: they are made by the operator. */
async function member(...roles: string[]) {
  const username = `host${++made}`;
  const { id } = await auth.users.create({ username, password }, ['user', ...roles]);
  const { body } = await logIn(username);
  const token = body.accessToken as string;
  return {
    id,
    username,
    token,
    sessionId: body.session.id as string,
    ask: (method: string, path: string, body?: object) =>
      ask(method, path, { token, ...(body && { body }) }),
  };
}
const admin = await member('admin');
const helper = await (async () => {
  await auth.roles.create('helper');
  await app.Role.update({ permissions: 'users:read users:write' }, { where: { name: 'helper' } });
  return member('helper');
})();

const invite = (body: object, by = admin) => by.ask('POST', '/admin/users', body);
const accept = (body: object) => ask('POST', '/auth/invitation', { body });
/** Somebody who was invited, and the token of their mail. */
async function invited(more: object = {}, by = admin) {
  const email = address();
  const { status, body, text } = await invite({ email, ...more }, by);
  expect(status, text).toBe(201);
  const { secrets, link } = await mailbox.next(email);
  return { email, id: body.id as string, token: secrets['token']!, link };
}
const userOf = (email: string) => User.findOne({ where: { emailCanonical: email } });
const far = (claims: object) => ask('POST', '/auth/far', { body: claims });

describe('POST /admin/users', () => {
  it('is for who may, in a session of late', async () => {
    const email = address();
    expect((await ask('POST', '/admin/users', { body: { email } })).status).toBe(401);
    const user = await member('moderator');
    expect((await invite({ email }, user)).body).toMatchObject({ required: ['users:write'] });
    for (const [method, path] of [
      ['GET', '/admin/invitations'],
      ['POST', `/admin/invitations/${user.id}/resend`],
      ['DELETE', `/admin/invitations/${user.id}`],
    ] as const) {
      expect((await ask(method, path)).status).toBe(401);
      expect((await user.ask(method, path)).status).toBe(403);
    }
    const createdAt = ctx.clock.date(-2 * 3_600_000);
    const stale = await member('admin');
    await Session.update({ createdAt }, { where: { userId: stale.id }, silent: true });
    expect((await invite({ email }, stale)).body.code).toBe('step_up_required');
    expect(await Invitation.count()).toBe(0);
  });

  it.each([
    [{}],
    [{ email: 'x' }],
    [{ email: null }],
    [{ email: 'a@example.com', password }],
    [{ email: 'a@example.com', roles: 'admin' }],
    [{ email: 'a@example.com', roles: ['nobody-has-it'] }],
    [{ email: 'a@example.com', roles: ['Admin'] }],
    [{ email: 'a@example.com', roles: Array.from({ length: 20 }, (_, i) => `r${i}`) }],
    [{ email: 'a@example.com', name: '\u0000' }],
    [{ email: 'a@example.com', emailVerified: true }],
  ])('refuses %j', async (body) => {
    expect((await invite(body)).body.code).toBe('invalid_request');
    expect(await Invitation.count({ where: { emailCanonical: 'a@example.com' } })).toBe(0);
  });

  it('gives no role that the inviter could not give', async () => {
    const email = address();
    expect((await invite({ email, roles: ['admin'] }, helper)).body).toMatchObject({
      code: 'forbidden',
      required: ['roles:assign', '*'],
    });
    expect((await invite({ email, roles: ['moderator'] }, helper)).body).toMatchObject({
      required: ['roles:assign'],
    });
    expect((await invite({ email }, helper)).status).toBe(201);
  });

  it('mails a link, and makes no user', async () => {
    const email = address();
    const { status, body } = await invite({ email, name: 'Ada', roles: ['moderator', 'user'] });
    expect(status).toBe(201);
    expect(body).toEqual({
      id: expect.any(String),
      email,
      name: 'Ada',
      roles: ['moderator', 'user'],
      invitedBy: admin.id,
      createdAt: expect.any(String),
      expiresAt: expect.any(String),
    });
    const days = (Date.parse(body.expiresAt) - Date.parse(body.createdAt)) / 86_400_000;
    expect(days).toBeCloseTo(7, 2);
    const mail = await mailbox.next(email);
    expect([mail.subject, mail.text.split('\n')[0]]).toEqual(['You are invited', 'Hello Ada,']);
    expect(await userOf(email)).toBeNull();
    expect((await invite({ email: email.toUpperCase() })).body.code).toBe('conflict');
    const { data } = (await admin.ask('GET', '/admin/invitations?limit=1')).body;
    expect(data).toEqual([body]);
  });

  it('refuses an address that somebody has', async () => {
    const { email, token } = await invited();
    expect((await accept({ token, password })).status).toBe(201);
    expect((await invite({ email })).body.code).toBe('email_taken');
  });

  it('does nothing when the permission is gone by the time the body arrives (A-09)', async () => {
    const former = await member('admin');
    const email = address();
    const asked = { token: former.token, method: 'POST', path: '/admin/users', body: { email } };
    const where = { id: former.sessionId };
    await Session.update({ createdAt: ctx.clock.date(-120_000) }, { where, silent: true });
    const answer = await askLate(url, asked, async () => {
      await eventually(async () =>
        expect((await Session.findByPk(former.sessionId))!.lastSeenAt).not.toBeNull(),
      );
      await auth.roles.revoke(former.id, 'admin');
    });
    expect(answer).toEqual({ status: 403, code: 'forbidden' });
    expect(await Invitation.count({ where: { emailCanonical: email } })).toBe(0);
  });
});

describe('POST /auth/invitation', () => {
  it.each([
    [{}],
    [{ token: '' }],
    [{ token: 'x', email: 'other@example.com' }],
    [{ token: 'x', roles: ['admin'] }],
    [{ token: 'x', username: 'admin' }],
    [{ token: ['x'] }],
    [{ token: 'x', password: '' }],
  ])('refuses %j', async (body) => expect((await accept(body)).body.code).toBe('invalid_request'));

  it('makes the user with a password that they choose, signs them in, and works once', async () => {
    const { email, token } = await invited({ roles: ['moderator'], name: 'Ada' });
    expect((await accept({ token: `${token}x`, password })).body.code).toBe('invalid_code');
    expect((await accept({ token, password: 'password' })).body.code).toBe('weak_password');
    expect((await accept({ token, password, username: admin.username })).body.code).toBe(
      'username_taken',
    );
    const username = `joined${made}`;
    const { status, body } = await accept({ token, password, username });
    expect(status).toBe(201);
    expect(body.session).toMatchObject({ strategy: 'invitation', amr: ['pwd'] });
    expect(body.user).toMatchObject({
      email,
      username,
      emailVerified: true,
      name: 'Ada',
      roles: ['moderator', 'user'],
    });
    expect((await logIn(email)).status).toBe(200);
    expect((await accept({ token, password })).body.code).toBe('invalid_code');
    expect((await admin.ask('DELETE', `/admin/users/${body.user.id}`)).status).toBe(204);
    expect((await accept({ token, password })).body.code).toBe('invalid_code');
  });

  it('lets in who chooses no password, to add a passkey or a provider', async () => {
    const { email, token } = await invited();
    const { body } = await accept({ token });
    expect(body.session.amr).toEqual(['email']);
    const own = { token: body.accessToken as string };
    expect((await ask('POST', '/me/factors/passkeys/options', own)).status).toBe(200);
    const claims = { subject: `s${made}` };
    const linked = await ask('POST', '/me/identities/far', { ...own, body: claims });
    expect(linked.status, linked.text).toBe(201);
    expect((await far(claims)).body.user.email).toBe(email);
    expect((await userOf(email))!.passwordHash).toBeNull();
  });

  it('of many at once lets one in (A-08)', async () => {
    for (let round = 0; round < rounds(3, 30); round++) {
      const { email, token } = await invited();
      const answers = await Promise.all(
        Array.from({ length: 5 }, () => accept({ token, password })),
      );
      expect(statusesOf(answers)).toEqual([201, 400, 400, 400, 400]);
      expect(await User.count({ where: { emailCanonical: email } })).toBe(1);
    }
  });

  it('is refused after the invitation was taken back, sent again, or has expired (A-08)', async () => {
    const [taken, again, expired] = [await invited(), await invited(), await invited()];
    expect((await admin.ask('DELETE', `/admin/invitations/${taken.id}`)).status).toBe(204);
    expect((await admin.ask('DELETE', `/admin/invitations/${taken.id}`)).status).toBe(404);
    const resent = await admin.ask('POST', `/admin/invitations/${again.id}/resend`);
    expect([resent.status, resent.body.id]).toEqual([200, again.id]);
    const at = ctx.clock.date(-1);
    await Invitation.update({ expiresAt: at }, { where: { id: expired.id } });
    for (const { token } of [taken, again, expired])
      expect((await accept({ token, password })).body.code).toBe('invalid_code');
    const { secrets } = await mailbox.next(again.email);
    expect((await accept({ ...secrets, password })).status).toBe(201);
    expect((await invite({ email: expired.email })).status).toBe(201);
  });

  it('works again after an expired invitation was sent again, for 30 days', async () => {
    const [late, tooLate] = [await invited(), await invited()];
    const expire = ({ id }: { id: string }, days: number) =>
      Invitation.update({ expiresAt: ctx.clock.date(-days * DAY) }, { where: { id } });
    await expire(late, 29);
    await expire(tooLate, 31);
    await purgeInvitations(ctx);
    expect(await Invitation.count({ where: { id: [late.id, tooLate.id] } })).toBe(1);
    const { data } = (await admin.ask('GET', '/admin/invitations?limit=1')).body;
    expect(data).toMatchObject([{ id: late.id }]);
    const resend = (id: string) => admin.ask('POST', `/admin/invitations/${id}/resend`);
    expect((await resend(tooLate.id)).status).toBe(404);
    const { status, body } = await resend(late.id);
    expect([status, Date.parse(body.expiresAt) > ctx.clock.now() + 6 * DAY]).toEqual([200, true]);
    expect((await accept({ token: late.token, password })).body.code).toBe('invalid_code');
    const { secrets } = await mailbox.next(late.email);
    expect((await accept({ ...secrets, password })).status).toBe(201);
  });

  it('is not sent again to an address that somebody has by now', async () => {
    const { email, id } = await invited();
    await auth.users.create({ email, password });
    const { body } = await admin.ask('POST', `/admin/invitations/${id}/resend`);
    expect(body.code).toBe('email_taken');
  });

  it('is not sent again by who asks while it is taken back (A-08)', async () => {
    const { id, email } = await invited();
    const before = mailbox.all(email).length;
    let resent: ReturnType<typeof admin.ask>;
    await heldOpen(
      ctx.db,
      () => auth.invitations.revoke(id),
      () => {
        resent = admin.ask('POST', `/admin/invitations/${id}/resend`);
        return underWay(ctx.db.sequelize, 'UPDATE%invitations%');
      },
    );
    expect((await resent!).status).toBe(404);
    expect(mailbox.all(email)).toHaveLength(before);
  });

  it('never takes over an address that somebody has by now (A-08)', async () => {
    for (const emailVerified of [true, false]) {
      const { email, token } = await invited({ roles: ['moderator'] });
      const { id } = await auth.users.create({ email, password, emailVerified });
      const other = 'another long password';
      expect((await accept({ token, password: other })).body.code).toBe('email_taken');
      expect((await logIn(email, other)).status).toBe(401);
      expect((await logIn(email)).body.user.roles).toEqual(['user']);
      expect((await User.findByPk(id))!.emailVerifiedAt !== null).toBe(emailVerified);
    }
  });

  it('forgets sign-ups with the address', async () => {
    const { email, token } = await invited();
    const expiresAt = ctx.clock.date(3_600_000);
    const row = { id: crypto.randomUUID(), email, emailCanonical: email, passwordHash: 'x' };
    const names = { username: null, usernameCanonical: null, name: null };
    await SignUp.create({ ...row, ...names, expiresAt });
    expect((await accept({ token, password })).status).toBe(201);
    expect(await SignUp.count({ where: { emailCanonical: email } })).toBe(0);
  });

  const endings: Record<string, (by: Awaited<ReturnType<typeof member>>) => Promise<unknown>> = {
    'lost the role': (by) => auth.roles.revoke(by.id, 'admin'),
    'is disabled': (by) => auth.users.disable(by.id),
    'is deleted': (by) => auth.users.delete(by.id),
  };
  it.each(Object.keys(endings))('is void when the inviter %s', async (ending) => {
    const former = await member('admin');
    const { email, token, id } = await invited({ roles: ['moderator'] }, former);
    await endings[ending]!(former);
    expect((await accept({ token, password })).body.code).toBe('invalid_code');
    const claims = { subject: `s${++made}`, email, emailVerified: true };
    expect((await far(claims)).body.code).toBe('signup_closed');
    expect(await userOf(email)).toBeNull();
    if (ending === 'is deleted') return;
    // Another administrator vouches for it.
    expect((await helper.ask('POST', `/admin/invitations/${id}/resend`)).status).toBe(403);
    expect((await admin.ask('POST', `/admin/invitations/${id}/resend`)).status).toBe(200);
    const { secrets } = await mailbox.next(email);
    expect((await accept({ ...secrets, password })).status).toBe(201);
  });

  it('is void when a role of it is gone', async () => {
    await auth.roles.create('short-lived');
    const { token } = await invited({ roles: ['short-lived'] });
    await app.Role.destroy({ where: { name: 'short-lived' } });
    expect((await accept({ token, password })).body.code).toBe('invalid_code');
  });
});

describe('an invited address', () => {
  it('joins by a provider that has verified it, and by no other', async () => {
    const { email, token } = await invited({ roles: ['moderator'] });
    const subject = `s${++made}`;
    for (const claims of [
      { subject, email },
      { subject, email, emailVerified: false },
      { subject, email: address(), emailVerified: true },
    ])
      expect((await far(claims)).body.code).toBe('signup_closed');
    const { status, body } = await far({ subject, email, emailVerified: true });
    expect([status, body.user.roles]).toEqual([200, ['moderator', 'user']]);
    expect((await accept({ token, password })).body.code).toBe('invalid_code');
  });

  it('joins by a code in a mail', async () => {
    const { email } = await invited({ roles: ['moderator'] });
    const { status, body } = await enter(email);
    expect([status, body.user?.roles]).toEqual([200, ['moderator', 'user']]);
    expect(await Invitation.count({ where: { emailCanonical: email } })).toBe(0);
  });

  it('is one user when a provider and the link come at once', async () => {
    for (let round = 0; round < rounds(3, 30); round++) {
      const { email, token } = await invited();
      const claims = { subject: `s${++made}`, email, emailVerified: true };
      const [linked, accepted] = await Promise.all([far(claims), accept({ token, password })]);
      expect([linked.status, accepted.status].some((status) => status < 300)).toBe(true);
      expect([200, 403, 503]).toContain(linked.status);
      expect([201, 400, 409, 503]).toContain(accepted.status); // 503: busy with hashing, ask again
      expect(await User.count({ where: { emailCanonical: email } })).toBe(1);
    }
  });
});

describe('the page of the link', () => {
  const send = (fields: Record<string, string>) =>
    fetch(`${url}/accept-invitation`, { method: 'POST', body: new URLSearchParams(fields) });

  it('asks for a password, and says when the link is not good any more', async () => {
    const { email, token, link } = await invited();
    expect(new URL(link).pathname).toBe('/accept-invitation');
    const page = await (await fetch(`${url}/accept-invitation?token=${token}`)).text();
    expect(page).toMatch(
      new RegExp(`<input type="text" value="${email}" autocomplete="username" readonly hidden>`),
    );
    const other = await (await fetch(`${url}/accept-invitation?token=x${token}`)).text();
    expect(other).not.toContain('autocomplete="username"');
    const weak = await send({ token, password: 'password' });
    expect(weak.status).toBe(422);
    expect((await send({ token, password })).status).toBe(200);
    expect((await logIn(email)).status).toBe(200);
    const again = await send({ token, password });
    expect(again.status).toBe(400);
    expect(await again.text()).toContain('ask whoever invited you');
  });
});

describe('the same', () => {
  it('by the app that embeds the server', async () => {
    const email = address();
    const { id, roles } = await auth.invitations.create({ email, roles: ['admin'] });
    expect(roles).toEqual(['admin', 'user']);
    expect((await auth.invitations.list({ limit: 1 })).data[0]).toMatchObject({ id, email });
    const { secrets } = await mailbox.next(email);
    await auth.invitations.resend(id);
    expect((await accept({ ...secrets, password })).status).toBe(400);
    await auth.invitations.revoke(id);
    await expect(auth.invitations.revoke(id)).rejects.toMatchObject({ code: 'not_found' });
    await expect(auth.invitations.create({ email: 'x' })).rejects.toMatchObject({
      code: 'invalid_request',
    });
  });

  it('on the command line', async () => {
    const email = address();
    expect(await does(`user invite ${email} --name Ada --role moderator`)).toMatch(
      `${email} is invited`,
    );
    const { secrets } = await mailbox.next(email);
    const { data } = await json('invitation list --limit 1');
    expect(data).toMatchObject([{ email, invitedBy: null, roles: ['moderator', 'user'] }]);
    await does(`invitation resend ${email}`);
    expect((await accept({ ...secrets, password })).status).toBe(400);
    const again = await mailbox.next(email);
    expect((await accept({ ...again.secrets, password })).body.user.roles).toEqual([
      'moderator',
      'user',
    ]);
    await refuses(`user invite ${email}`, /taken/);
    await refuses(`invitation revoke ${email}`, /no such invitation/);
    const other = address();
    const { id } = await json(`user invite ${other}`);
    expect(await does(`invitation revoke ${id}`)).toMatch('taken back');
    expect(await Invitation.count({ where: { emailCanonical: other } })).toBe(0);
  });

  it('is void with everything else when every session ends', async () => {
    const { token, id } = await invited();
    await auth.sessions.endAllOfEverybody();
    expect((await accept({ token, password })).body.code).toBe('invalid_code');
    expect(await Invitation.count({ where: { id } })).toBe(1);
  });
});
