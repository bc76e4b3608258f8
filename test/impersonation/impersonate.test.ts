import { once } from 'node:events';
import { request, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';
import { decodeJwt } from 'jose';
import { describe, expect, it, vi } from 'vitest';
import type { EventMap } from '#src/events';
import { refreshTokenOf } from '#src/sessions/refresh-tokens';
import { factorSubject } from '#src/users/throttle-subject';
import { password, startApp } from '#test/support/app';
import { wait } from '#test/support/clock';
import { commandLine, speaking } from '#test/support/command';
import { eventually } from '#test/support/eventually';
import { acting, type Person } from '#test/support/impersonation';
import { openMailbox } from '#test/support/mailbox';

const mailbox = await openMailbox();
const app = await startApp({ ...mailbox.env, API_KEYS: 'on', MFA_REQUIRED_ROLES: 'press' });
const { auth, ctx, ask, env, url, register, logIn, OutgoingMail, Session, User } = app;
const { allow, administrator, tryFor, actFor } = acting(app);
await allow('support', 'invoices:read users:impersonate');
await allow('clerk', 'invoices:read');
await allow('boss', 'invoices:*');
await allow('press', '');
const support = await administrator('support');
const admin = await administrator('admin');

const heard: [string, object][] = [];
ctx.events.onAny((name, event) => void heard.push([name, event]));

/** Nothing came of it: no session, no mail, no event. */
async function expectNothing(userId: string, tried: () => Promise<unknown>): Promise<void> {
  const state = async () => [
    await Session.count({ where: { userId } }),
    await Session.count({ where: { strategy: 'impersonation' } }),
    await OutgoingMail.count({ where: { template: 'impersonated' } }),
    heard.filter(([name]) => name === 'session.impersonated').length,
  ];
  const before = await state();
  await tried();
  expect(await state()).toEqual(before);
}

describe('POST /admin/users/{id}/impersonate refuses', () => {
  it('strangers, and users without the permission, before it looks for anybody', async () => {
    const target = await register();
    const moderator = await administrator('moderator', 'boss');
    const unknown = '0197f0a0-5b1c-7d3e-9a52-3c1d5e7f9b20';
    for (const id of [target.id, unknown, 'x']) {
      const path = `/admin/users/${id}/impersonate`;
      await expectNothing(target.id, async () => {
        expect((await ask('POST', path, { body: { reason: 'x' } })).status).toBe(401);
        expect((await tryFor(moderator, id)).body).toMatchObject({
          code: 'forbidden',
          required: ['users:impersonate'],
        });
      });
    }
  });

  it('an API key, a session of one factor, and two factors of long ago', async () => {
    const target = await register();
    const onlyPassword = await register({}, 'support');
    const made = await admin.ask('POST', '/me/api-keys', {
      body: { name: 'robot', scopes: ['admin'] },
    });
    expect(made.status, made.text).toBe(201);
    await expectNothing(target.id, async () => {
      const byKey = await ask('POST', `/admin/users/${target.id}/impersonate`, {
        body: { reason: 'x' },
        headers: { 'x-api-key': made.body.key },
      });
      expect(byKey.body).toMatchObject({ code: 'forbidden', required: ['session'] });
      expect((await tryFor(onlyPassword, target.id)).body).toMatchObject({
        code: 'step_up_required',
        acrValues: ['aal2'],
      });
      const stale = await administrator('support');
      await Session.update(
        { aal2At: ctx.clock.date(-2 * 3_600_000) },
        { where: { userId: stale.id }, silent: true },
      );
      expect((await tryFor(stale, target.id)).body).toMatchObject({ code: 'step_up_required' });
    });
  });

  it('without a reason, and what is no reason', async () => {
    const target = await register();
    const path = `/admin/users/${target.id}/impersonate`;
    await expectNothing(target.id, async () => {
      for (const reason of [undefined, '', ' ', 1, ['x'], 'a\nb', '\u202e', 'x'.repeat(201)]) {
        const { status, body } = await support.ask('POST', path, { body: { reason } });
        expect([status, body.code], JSON.stringify(reason)).toEqual([400, 'invalid_request']);
      }
      const more = { reason: 'x', hours: 9 };
      expect((await support.ask('POST', path, { body: more })).status).toBe(400);
    });
  });

  it('oneself, somebody who does not exist, and somebody who is disabled', async () => {
    const target = await register();
    await auth.users.disable(target.id);
    await expectNothing(target.id, async () => {
      for (const me of [support, admin])
        expect((await tryFor(me, me.id)).body).toMatchObject({ status: 403, code: 'forbidden' });
      expect((await tryFor(support, '0197f0a0-5b1c-7d3e-9a52-3c1d5e7f9b20')).status).toBe(404);
      expect((await tryFor(support, 'x')).status).toBe(400);
      expect((await tryFor(support, target.id)).body).toMatchObject({ status: 409 });
    });
  });

  it('somebody with a permission that one lacks, and an administrator', async () => {
    for (const target of [
      await register({}, 'boss'), // has `invoices:*`, which is more than `invoices:read`
      await register({}, 'clerk', 'boss'),
      await register({}, 'admin'),
      await register({}, 'support'),
    ])
      await expectNothing(target.id, async () => {
        expect((await tryFor(support, target.id)).body).toMatchObject({
          status: 403,
          code: 'forbidden',
        });
      });
    const other = await register({}, 'admin');
    await expectNothing(other.id, async () => {
      expect((await tryFor(admin, other.id)).body).toMatchObject({ status: 403 });
    });
    expect((await tryFor(admin, (await register({}, 'boss')).id)).status).toBe(200);
    expect((await tryFor(support, (await register({}, 'clerk')).id)).status).toBe(200);
  });

  it('who acts for somebody else already', async () => {
    const mighty = await register({}, 'boss');
    const acts = await actFor(admin, mighty);
    const target = await register();
    await expectNothing(target.id, async () => {
      const { status, body } = await acts.ask('POST', `/admin/users/${target.id}/impersonate`, {
        body: { reason: 'x' },
      });
      expect([status, body.code]).toEqual([403, 'impersonated']);
    });
  });
});

/** Sends the request, but holds back its body until the guards let it in and `meanwhile` is done. */
async function late(me: Person, userId: string, meanwhile: () => Promise<unknown>) {
  const id = me.tokens.session.id as string;
  const lastSeenAt = new Date(Date.now() - 120_000);
  await Session.update({ lastSeenAt }, { where: { id }, silent: true });
  ctx.lastSeenWrites.clear(); // so that the next use is noted
  const text = JSON.stringify({ reason: 'late' });
  const asked = request(`${url}/admin/users/${userId}/impersonate`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${me.token}`,
      'content-type': 'application/json',
      'content-length': text.length,
    },
  });
  asked.flushHeaders();
  await eventually(async () =>
    expect((await Session.findByPk(id))!.lastSeenAt).not.toEqual(lastSeenAt),
  );
  await meanwhile();
  const answered = once(asked, 'response') as Promise<[IncomingMessage]>;
  asked.end(text);
  const [answer] = await answered;
  return [answer.statusCode, ((await json(answer)) as { code?: string }).code];
}

describe('while its body is held back', () => {
  it.each<[string, string, (me: Person, target: Person) => Promise<unknown>]>([
    [
      'the administrator loses the role',
      '403 forbidden',
      (me) => auth.roles.revoke(me.id, 'support'),
    ],
    [
      'the administrator signs out',
      '401 session_ended',
      (me) => me.ask('POST', '/auth/logout', { body: {} }),
    ],
    ['the administrator is disabled', '401 session_ended', (me) => auth.users.disable(me.id)],
    [
      'the administrator loses the factor',
      '403 step_up_required',
      (me) => auth.users.resetFactors(me.id),
    ],
    [
      'the user gets more permissions',
      '403 forbidden',
      (_me, { id }) => auth.roles.grant(id, 'boss'),
    ],
    ['the user is disabled', '409 conflict', (_me, { id }) => auth.users.disable(id)],
    ['the user is deleted', '404 not_found', (_me, { id }) => auth.users.delete(id)],
  ])('%s: %s', async (_what, expected, meanwhile) => {
    const me = await administrator('support');
    const target = await register();
    await expectNothing('', async () => {
      expect((await late(me, target.id, () => meanwhile(me, target))).join(' ')).toBe(expected);
    });
  });
});

describe('an administrator who acts for a user', () => {
  it('gets an access token of an hour with `act`, and no refresh token', async () => {
    const target = await register({}, 'clerk');
    const { body, token, ask: asThem } = await actFor(support, target);
    expect(Object.keys(body).sort()).toEqual([
      'accessToken',
      'expiresIn',
      'session',
      'tokenType',
      'user',
    ]);
    expect(body).toMatchObject({
      tokenType: 'Bearer',
      expiresIn: 3600,
      session: { strategy: 'impersonation', amr: [], acr: 'aal1' },
      user: { id: target.id, username: target.username, roles: ['clerk', 'user'] },
    });
    const { act, act_sid, sub, iat, exp, acr, auth_time } = decodeJwt(token);
    expect([act, act_sid, sub]).toEqual([
      { sub: support.id },
      support.tokens.session.id,
      target.id,
    ]);
    expect([exp! - iat!, acr]).toEqual([3600, 'aal1']);
    const own = (await Session.findByPk(support.tokens.session.id))!;
    expect(auth_time).toBe(Math.floor((own.authenticatedAt ?? own.createdAt).getTime() / 1000));
    expect((await asThem('GET', '/me')).body).toMatchObject({
      id: target.id,
      permissions: ['invoices:read'],
      actor: { id: support.id, username: support.username },
    });
    expect((await target.ask('GET', '/me')).body.actor).toBeNull();
  });

  it('is a frozen `actor` of the principal that an app sees', async () => {
    const target = await register();
    const { token } = await actFor(support, target);
    const claims = await auth.sessions.verifyAccessToken(token);
    const principal = await auth.sessions.resume(claims);
    expect(principal.actor).toEqual({ id: support.id, username: support.username });
    expect(Object.isFrozen(principal.actor)).toBe(true);
    const own = await auth.sessions.resume(await auth.sessions.verifyAccessToken(target.token));
    expect(own.actor).toBeNull();
  });

  it('is shown to the user in their sessions and in the command line, and can be ended there', async () => {
    const target = await register();
    const acts = await actFor(support, target, 'The invoice of “May” <b>');
    const { body } = await target.ask('GET', '/me/sessions');
    const impersonation = {
      actor: { id: support.id, name: support.username },
      reason: 'The invoice of “May” <b>',
    };
    expect(body.data).toHaveLength(2);
    expect(body.data[0]).toMatchObject({ id: acts.id, strategy: 'impersonation', impersonation });
    expect(body.data[1]).toMatchObject({ current: true, impersonation: null });
    const { does, json: shown } = speaking(commandLine(env));
    expect(await does(`session list ${target.username}`)).toContain(support.username);
    expect((await shown(`session list ${target.username}`)).data[0]).toMatchObject({
      impersonation,
    });
    expect((await target.ask('DELETE', `/me/sessions/${acts.id}`)).status).toBe(204);
    expect((await acts.ask('GET', '/me')).body.code).toBe('session_ended');
  });

  it('is told to the user by mail, with a link that ends it, and an event has both', async () => {
    const target = await register({ email: 'grace@example.com', name: 'Grace' });
    await User.update({ emailVerifiedAt: new Date() }, { where: { id: target.id } });
    heard.length = 0;
    const acts = await actFor(support, target, 'Ticket <4711>');
    for (;;) {
      const mail = await mailbox.next('grace@example.com');
      if (mail.subject !== 'An administrator acts for you') continue;
      expect(mail.text).toContain(`an administrator (${support.username})`);
      expect(mail.text).toContain('The reason they gave: Ticket <4711>');
      await fetch(`${url}/end-session`, {
        method: 'POST',
        body: new URLSearchParams(mail.secrets),
      });
      expect((await acts.ask('GET', '/me')).body.code).toBe('session_ended');
      expect((await target.ask('GET', '/me')).status).toBe(200);
      break;
    }
    const mine = heard.filter(([name]) => name.startsWith('session.'));
    expect(mine.slice(0, 1)).toEqual([
      [
        'session.impersonated',
        {
          userId: target.id,
          sessionId: acts.id,
          actorId: support.id,
          actorSessionId: support.tokens.session.id,
          reason: 'Ticket <4711>',
          ip: expect.any(String),
        } satisfies EventMap['session.impersonated'],
      ],
    ]);
  });

  it('signs out for themselves alone', async () => {
    const target = await register();
    const acts = await actFor(support, target);
    for (const scope of ['others', 'all']) {
      const { status, body } = await acts.ask('POST', '/auth/logout', { body: { scope } });
      expect([status, body.code]).toEqual([403, 'impersonated']);
    }
    expect((await target.ask('GET', '/me')).status).toBe(200);
    expect((await acts.ask('POST', '/auth/logout', { body: {} })).status).toBe(204);
    expect((await acts.ask('GET', '/me')).status).toBe(401);
    expect((await target.ask('GET', '/me')).status).toBe(200);
    expect((await support.ask('GET', '/me')).status).toBe(200);
  });

  it('may look although a role of the user requires a factor that the user has not', async () => {
    const target = await register({}, 'press');
    expect((await target.ask('GET', '/me/sessions')).body.code).toBe('mfa_enrollment_required');
    const acts = await actFor(support, target);
    expect((await acts.ask('GET', '/me/sessions')).status).toBe(200);
  });

  it('leaves the user alone who signs in: ten sessions, failures, networks', async () => {
    const target = await register();
    const own = [target.token];
    for (let i = 1; i < 10; i++) own.push((await logIn(target.username)).body.accessToken);
    const acts = [await actFor(support, target), await actFor(admin, target)];
    const alive = async () =>
      Promise.all(own.map(async (token) => (await ask('GET', '/me', { token })).status));
    expect(await alive()).toEqual(own.map(() => 200));
    // The eleventh replaces the oldest of the user's own, and no other.
    expect((await logIn(target.username)).status).toBe(200);
    expect(await alive()).toEqual([401, ...own.slice(1).map(() => 200)]);
    for (const { ask: asThem } of acts) expect((await asThem('GET', '/me')).status).toBe(200);
  });

  it('makes no network known from which the user signs in', async () => {
    const target = await register();
    await Session.update({ ip: '198.51.100.7' }, { where: { userId: target.id } });
    const before = await auth.users.throttleSubject(target.username);
    const forFactors = await factorSubject(ctx, target.id);
    expect([before.networks, forFactors.networks]).toEqual([['198.51.100.7'], ['198.51.100.7']]);
    await actFor(support, target);
    expect(await auth.users.throttleSubject(target.username)).toEqual(before);
    expect(await factorSubject(ctx, target.id)).toEqual(forFactors);
  });

  it('has one session of the same user at most, and ends none of other administrators or users', async () => {
    const [target, another] = [await register(), await register()];
    const others = [await actFor(support, target), await actFor(admin, another)];
    const attempts = await Promise.all(Array.from({ length: 5 }, () => tryFor(admin, target.id)));
    expect(attempts.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    const left = await Promise.all(
      attempts.map(({ body }) => ask('GET', '/me', { token: body.accessToken })),
    );
    expect(left.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(left.filter(({ status }) => status === 401)).toHaveLength(4);
    for (const each of others) expect((await each.ask('GET', '/me')).status).toBe(200);
    expect((await target.ask('GET', '/me')).status).toBe(200);
    const { body } = await target.ask('GET', '/me/sessions');
    expect(body.data).toHaveLength(3);
  });

  it('ends after an hour', async () => {
    const target = await register();
    const me = await administrator('support');
    const acts = await actFor(me, target);
    try {
      wait(3599_000);
      await ask('POST', '/auth/refresh', { body: { refreshToken: me.tokens.refreshToken } });
      expect((await acts.ask('GET', '/me')).status).toBe(200);
      wait(1000);
      expect((await acts.ask('GET', '/me')).status).toBe(401);
      const row = (await Session.findByPk(acts.id))!;
      expect(row.isLive(ctx.clock.now())).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });

  it('has no refresh token that anybody could make: the session takes none', async () => {
    const target = await register();
    const acts = await actFor(support, target);
    const refreshToken = refreshTokenOf(ctx, { id: acts.id, generation: 0 });
    const { status, body } = await ask('POST', '/auth/refresh', { body: { refreshToken } });
    expect([status, body.code]).toEqual([400, 'invalid_grant']);
    expect((await acts.ask('GET', '/me')).status).toBe(200);
  });

  it('proves nothing for the user', async () => {
    const target = await register();
    const acts = await actFor(support, target);
    const { status, body } = await acts.ask('POST', '/auth/reauthenticate', { body: { password } });
    expect([status, body.code]).toEqual([403, 'impersonated']);
  });
});
