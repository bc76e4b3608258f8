import { Op } from 'sequelize';
import { expect, describe, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { commandLine, speaking } from '#test/support/command';
import { statusesOf } from '#test/support/client';
import { eventually } from '#test/support/eventually';
import { askLate } from '#test/support/late';
import { openMailbox } from '#test/support/mailbox';
import { rounds } from '#test/support/rounds';
import { addApp } from '#test/support/second-factor';

const mailbox = await openMailbox();
const app = await startApp({ ...mailbox.env, API_KEYS: 'on' });
const { auth, ctx, ask, env, logIn, register, url, Identity, Role, Session, User, UserRole } = app;
const admin = await register({ username: 'chief' }, 'admin');
const { does, json, refuses } = speaking(commandLine(env));

let made = 0;
const address = () => `governed${++made}@example.com`;
/** Somebody with an address that they have confirmed. */
async function member(fields: object = {}) {
  const email = address();
  const me = await register({ email, username: `member${made}`, ...fields });
  await User.update({ emailVerifiedAt: new Date() }, { where: { id: me.id } });
  return { ...me, email, now: async () => (await User.findByPk(me.id))! };
}
/** From now on nobody else is an administrator. */
async function alone() {
  const { id: roleId } = (await Role.findOne({ where: { name: 'admin' } }))!;
  await UserRole.destroy({ where: { roleId, userId: { [Op.ne]: admin.id } } });
}
const nobody = '0197f0a0-5b1c-7d3e-9a52-3c1d5e7f9b20';
const at = (id: string, rest = '') => `/admin/users/${id}${rest}`;

/** Every route about one user, with a body that it takes. */
const routesOf = (id: string, sessionId = nobody) =>
  [
    ['GET', at(id), undefined],
    ['GET', at(id, '/sessions'), undefined],
    ['PATCH', at(id), { name: 'Changed' }],
    ['DELETE', at(id, `/sessions/${sessionId}`), undefined],
    ['DELETE', at(id, '/sessions'), undefined],
    ['DELETE', at(id, '/lock'), undefined],
    ['POST', at(id, '/password-reset'), {}],
    ['DELETE', at(id), undefined],
  ] as const;
const nameOf = ([method, path]: readonly unknown[]) => `${String(method)} ${String(path)}`;
const changesOf = (id: string) => routesOf(id).filter(([method]) => method !== 'GET');
const send = (
  token: string | undefined,
  [method, path, body]: ReturnType<typeof routesOf>[number],
) => ask(method, path, { ...(token && { token }), ...(body && { body }) });
const unchanged = async (me: Awaited<ReturnType<typeof member>>) => {
  expect((await me.now()).name).toBeNull();
  expect((await me.ask('GET', '/me')).status).toBe(200);
  expect(mailbox.all(me.email)).toEqual([]);
};

describe('a route about one user', () => {
  it('is closed to strangers, users and other roles, whether or not there is such a user (A-01)', async () => {
    const target = await member();
    const others = [await register(), await register({}, 'moderator')];
    for (const id of [target.id, nobody, 'x'])
      for (const each of routesOf(id)) {
        expect((await send(undefined, each)).body.code, nameOf(each)).toBe('token_missing');
        for (const { token } of others)
          expect((await send(token, each)).body.code, nameOf(each)).toBe('forbidden');
      }
    await unchanged(target);
  });

  it('opens to the permission that it names, and to no other (A-01)', async () => {
    const needed = ['users:read', 'users:read', 'users:write', 'sessions:end', 'sessions:end'];
    const target = await member();
    const { id: session } = target.tokens.session;
    for (const [i, asked] of routesOf(target.id, session).entries()) {
      const permission = needed[i] ?? 'users:write';
      const name = `only-${permission.replace(':', '-')}-${i}`;
      const almost = ['users:read', 'users:write', 'sessions:end', 'factors:reset'];
      await auth.roles.create(name);
      const held = almost.filter((each) => each !== permission).join(' ');
      await Role.update({ permissions: held }, { where: { name } });
      const by = await register({}, name);
      expect((await send(by.token, asked)).body).toMatchObject({ required: [permission] });
      await Role.update({ permissions: permission }, { where: { name } });
      expect((await send(by.token, asked)).status, nameOf(asked)).toBeLessThan(300);
    }
  });

  it('changes nobody who has a permission that one lacks, and oneself', async () => {
    await auth.roles.create('helper');
    await auth.roles.create('clerk');
    const permissions = 'sessions:end users:read users:write';
    await Role.update({ permissions }, { where: { name: 'helper' } });
    await Role.update({ permissions: 'invoices:read' }, { where: { name: 'clerk' } });
    const helper = await register({}, 'helper');
    const [equal, clerk, chief] = [await member(), await member(), await member()];
    await auth.roles.grant(equal.id, 'helper');
    await auth.roles.grant(clerk.id, 'clerk');
    await auth.roles.grant(chief.id, 'admin');
    for (const asked of changesOf(clerk.id))
      expect((await send(helper.token, asked)).body).toMatchObject({
        code: 'forbidden',
        required: ['invoices:read'],
      });
    for (const asked of changesOf(chief.id))
      expect((await send(helper.token, asked)).body).toMatchObject({ required: ['*'] });
    for (const me of [clerk, chief]) await unchanged(me);
    expect((await helper.ask('GET', at(chief.id))).status).toBe(200);
    const body = { name: 'Changed' };
    for (const { id } of [equal, helper])
      expect((await helper.ask('PATCH', at(id), { body })).status).toBe(200);
  });

  it('changes nothing for an API key, and for whoever signed in long ago or lacks the second factor', async () => {
    const target = await member();
    const { key } = (
      await admin.ask('POST', '/me/api-keys', { body: { name: 'robot', scopes: ['admin'] } })
    ).body;
    const stale = await register({}, 'admin');
    const createdAt = ctx.clock.date(-2 * 3_600_000);
    await Session.update({ createdAt }, { where: { userId: stale.id }, silent: true });
    const careful = await register({}, 'admin');
    const { accessToken: onlyPassword } = (await logIn(careful.username)).body;
    await addApp(ctx, careful);
    for (const [method, path, body] of changesOf(target.id)) {
      const byKey = await ask(method, path, {
        headers: { 'x-api-key': key },
        ...(body && { body }),
      });
      expect(byKey.body).toMatchObject({ code: 'forbidden', required: ['session'] });
      for (const token of [stale.token, onlyPassword])
        expect((await send(token, [method, path, body] as never)).body.code).toBe(
          'step_up_required',
        );
    }
    await unchanged(target);
  });

  it('answers 404 for who is not there, and 400 for what is no id (A-04)', async () => {
    for (const each of routesOf(nobody))
      expect((await send(admin.token, each)).status, nameOf(each)).toBe(404);
    const kinds = ['1', '%00', 'a%00b', '..%2f..', '%', 'x'.repeat(10_000), "'%20OR%201=1", '[]'];
    for (const id of [...kinds, admin.tokens.session.id, nobody.slice(1)])
      for (const each of routesOf(id))
        expect([400, 404], `${each[0]} ${each[1].slice(0, 60)}`).toContain(
          (await send(admin.token, each)).status,
        );
    const target = await member();
    for (const sessionId of ['1', '%00', 'x', nobody, admin.tokens.session.id])
      expect([400, 404]).toContain(
        (await admin.ask('DELETE', at(target.id, `/sessions/${sessionId}`))).status,
      );
    await unchanged(target);
    expect((await admin.ask('GET', '/me')).status).toBe(200);
  });

  it('does nothing when the role is gone by the time the body arrives (A-09)', async () => {
    for (const [what, body, path] of [
      ['PATCH', { disabled: true }, ''],
      ['POST', { endSessions: true }, '/password-reset'],
    ] as const)
      for (const ending of ['the role', 'the session', 'the user'] as const) {
        const former = await register({}, 'admin');
        const target = await member();
        const { id } = former.tokens.session;
        await Session.update(
          { createdAt: ctx.clock.date(-120_000) },
          { where: { id }, silent: true },
        );
        const asked = { token: former.token, method: what, path: at(target.id, path), body };
        const answer = await askLate(url, asked, async () => {
          await eventually(async () =>
            expect((await Session.findByPk(id))!.lastSeenAt).not.toBeNull(),
          );
          if (ending === 'the role') await auth.roles.revoke(former.id, 'admin');
          if (ending === 'the session') await auth.sessions.endAll(former.id);
          if (ending === 'the user') await auth.users.disable(former.id);
        });
        expect(answer, `${what} without ${ending}`).toEqual(
          ending === 'the role'
            ? { status: 403, code: 'forbidden' }
            : { status: 401, code: 'session_ended' },
        );
        await unchanged(target);
      }
  });
});

describe('GET /admin/users/{id}', () => {
  it('shows what a user has, and no secret', async () => {
    const me = await member({ name: 'Ada' });
    await Identity.create({
      id: crypto.randomUUID(),
      userId: me.id,
      provider: 'github',
      subject: 'the subject 42',
      email: me.email,
    });
    await me.ask('POST', '/me/api-keys', { body: { name: 'robot' } });
    const { factorId } = await addApp(ctx, me);
    await auth.roles.grant(me.id, 'moderator');
    const { body, text, headers } = await admin.ask('GET', at(me.id));
    expect(headers.get('etag')).toMatch(/^"[\w-]{22}"$/);
    expect(body).toEqual({
      id: me.id,
      username: me.username,
      email: me.email,
      emailVerified: true,
      name: 'Ada',
      roles: ['moderator', 'user'],
      locale: null,
      disabled: false,
      createdAt: expect.any(String),
      hasPassword: true,
      factors: [
        {
          id: factorId,
          kind: 'totp',
          name: expect.any(String),
          createdAt: expect.any(String),
          lastUsedAt: null,
          deviceType: null,
          backedUp: null,
        },
      ],
      recoveryCodesLeft: 10,
      identities: [
        {
          id: expect.any(String),
          provider: 'github',
          email: me.email,
          createdAt: expect.any(String),
        },
      ],
      sessions: [expect.objectContaining({ id: me.tokens.session.id, current: false })],
      apiKeys: 1,
      loginFailures: [],
    });
    expect(text).not.toMatch(/\$2b|digest|secret|subject 42/i);
    const own = (await admin.ask('GET', at(admin.id))).body;
    expect(own.sessions[0].current).toBe(true);
  });
});

describe('PATCH /admin/users/{id}', () => {
  const edit = (id: string, body: object, ifMatch?: string) =>
    admin.ask('PATCH', at(id), { body, ...(ifMatch && { headers: { 'if-match': ifMatch } }) });

  it.each([
    [{}],
    [[]],
    [{ surplus: 1 }],
    [{ password }],
    [{ roles: ['admin'] }],
    [{ emailVerified: true }],
    [{ id: nobody }],
    [{ disabled: 'true' }],
    [{ disabled: null }],
    [{ username: 'admin' }],
    [{ username: 'a@b.example' }],
    [{ email: 'x' }],
    [{ name: '' }],
    [{ name: '\u0000' }],
    [{ name: 'x'.repeat(101) }],
    [{ name: 'good', email: 'bad' }],
  ])('refuses %j, and changes nothing', async (body) => {
    const me = await member();
    expect((await edit(me.id, body)).body.code).toBe('invalid_request');
    await unchanged(me);
  });

  it('changes names, and answers what there is now', async () => {
    const me = await member();
    const { status, body, headers } = await edit(me.id, { name: 'Ada', username: `Ada-${made}` });
    expect([status, body.name, body.username]).toEqual([200, 'Ada', `Ada-${made}`]);
    expect(headers.get('etag')).toBe((await admin.ask('GET', at(me.id))).headers.get('etag'));
    expect((await edit(me.id, { name: null })).body.name).toBeNull();
    expect((await logIn(`ada-${made}`)).status).toBe(200);
  });

  it('is all or nothing: of two changes the one that cannot be done undoes the other', async () => {
    const [me, other] = [await member(), await member()];
    for (const taken of [{ username: other.username.toUpperCase() }, { email: other.email }]) {
      const { body } = await edit(me.id, { name: 'Eve', disabled: true, ...taken });
      expect(body.code).toBe('username' in taken ? 'username_taken' : 'email_taken');
    }
    await unchanged(me);
    expect(mailbox.all(other.email)).toEqual([]);
  });

  it('takes another address for unconfirmed, mails it, and tells the old one, which can undo it', async () => {
    const me = await member();
    const to = address();
    expect((await edit(me.id, { email: to.toUpperCase() })).body).toMatchObject({
      email: to.toUpperCase(),
      emailVerified: false,
    });
    expect((await me.ask('GET', '/me')).body.emailVerified).toBe(false);
    const asked = await mailbox.next(to);
    expect(asked.subject).toBe('Confirm your new e-mail address');
    expect(asked.text).toContain('An administrator');
    expect((await ask('POST', '/auth/email/verify', { body: asked.secrets })).status).toBe(204);
    expect((await me.now()).emailVerifiedAt).not.toBeNull();
    const notice = await mailbox.next(me.email);
    expect(notice.text).toContain('an administrator gave another e-mail address');
    expect((await ask('POST', '/auth/email/restore', { body: notice.secrets })).status).toBe(204);
    expect(await me.now()).toMatchObject({ emailCanonical: me.email, passwordHash: null });
  });

  it('removes a username or an address while the other one is left', async () => {
    const me = await member();
    expect((await edit(me.id, { username: null, email: null })).body.code).toBe('last_way_in');
    expect((await edit(me.id, { username: null })).body).toMatchObject({
      username: null,
      email: me.email,
    });
    expect((await edit(me.id, { email: null })).body.code).toBe('last_way_in');
    expect((await logIn(me.username)).status).toBe(401);
    const username = `renamed${made}`;
    expect((await edit(me.id, { email: null, username })).body).toMatchObject({
      username,
      email: null,
      emailVerified: false,
    });
    expect([(await logIn(me.email)).status, (await logIn(username)).status]).toEqual([401, 200]);
    expect((await edit(me.id, { username: null })).body.code).toBe('last_way_in');
    const notice = await mailbox.next(me.email);
    expect(notice.text).toContain('an administrator removed this e-mail address');
    expect((await ask('POST', '/auth/email/restore', { body: notice.secrets })).status).toBe(204);
    expect(await me.now()).toMatchObject({ username, email: me.email });
  });

  it('of two that remove the username and the address at once, lets one pass', async () => {
    for (let round = 0; round < rounds(3, 30); round++) {
      const me = await member();
      const answers = await Promise.all([
        edit(me.id, { username: null }),
        edit(me.id, { email: null }),
      ]);
      expect(statusesOf(answers)).toEqual([200, 409]);
    }
  });

  it('takes nothing from who never had either: they sign in with a provider', async () => {
    const id = crypto.randomUUID();
    await User.create({ id, turn: 0 });
    const own = { userId: id, provider: 'github', subject: `nameless ${made}` };
    await Identity.create({ id: crypto.randomUUID(), ...own, email: null });
    const { status, body } = await edit(id, { email: null, name: 'Ada' });
    expect([status, body.name]).toEqual([200, 'Ada']);
  });

  it("changes one's own address for nobody: that needs the password and the new address", async () => {
    const chief = await member();
    await auth.roles.grant(chief.id, 'admin');
    const own = (body: object) => chief.ask('PATCH', at(chief.id), { body });
    for (const email of [address(), null]) {
      const { body } = await own({ email, name: 'Eve' });
      expect(body.errors).toMatchObject([{ pointer: '/email', code: 'own_address' }]);
    }
    await unchanged(chief);
    const upper = chief.email.toUpperCase();
    expect((await own({ email: upper, name: 'Ada' })).body).toMatchObject({
      email: upper,
      emailVerified: true,
      name: 'Ada',
    });
  });

  it('accepts null for the address of a user without one, and for one’s own', async () => {
    const chief = await register({ username: 'no-address' }, 'admin');
    const body = { email: null, name: 'Ada' };
    const answer = await chief.ask('PATCH', at(chief.id), { body });
    expect([answer.status, answer.body.email, answer.body.name]).toEqual([200, null, 'Ada']);
  });

  it('voids what was mailed before, and mails nothing for the address that there is', async () => {
    const me = await member();
    await ask('POST', '/auth/password/forgot', { body: { email: me.email } });
    const { secrets } = await mailbox.next(me.email);
    expect((await edit(me.id, { email: me.email.toUpperCase() })).body).toMatchObject({
      email: me.email.toUpperCase(),
      emailVerified: true,
    });
    await edit(me.id, { email: address() });
    const reset = { ...secrets, password: 'another long password' };
    expect((await ask('POST', '/auth/password/reset', { body: reset })).body.code).toBe(
      'invalid_code',
    );
  });

  it('disables: sessions end on the next request; and enables: they stay ended', async () => {
    const me = await member();
    expect((await edit(me.id, { disabled: true })).body.disabled).toBe(true);
    expect((await me.ask('GET', '/me')).status).toBe(401);
    expect((await logIn(me.username)).status).toBe(401);
    const { disabledAt } = await me.now();
    expect((await edit(me.id, { disabled: true })).body.disabled).toBe(true);
    expect((await me.now()).disabledAt).toEqual(disabledAt);
    expect((await edit(me.id, { disabled: false })).body.disabled).toBe(false);
    expect((await me.ask('GET', '/me')).status).toBe(401);
    expect((await logIn(me.username)).status).toBe(200);
  });

  it('never disables the last administrator, and answers the others', async () => {
    await alone();
    expect((await edit(admin.id, { disabled: true })).body.code).toBe('last_admin');
    expect((await admin.ask('GET', '/me')).status).toBe(200);
    const other = await register({}, 'admin');
    const { status } = await other.ask('PATCH', at(other.id), { body: { disabled: true } });
    expect([status, (await other.ask('GET', '/me')).status]).toEqual([200, 401]);
  });

  it('refuses a change that was meant for an earlier state (A-07)', async () => {
    const me = await member();
    const seen = async () => (await admin.ask('GET', at(me.id))).headers.get('etag')!;
    const first = await seen();
    for (const stale of ['"x"', `W/${first}`, first.slice(1, -1), '""', ''])
      expect((await edit(me.id, { name: 'Eve' }, stale || ' ')).body.code, stale).toBe(
        'precondition_failed',
      );
    expect((await me.now()).name).toBeNull();
    expect((await edit(me.id, { name: 'A' }, `"x", ${first}`)).status).toBe(200);
    const late = await edit(me.id, { disabled: true }, first);
    expect([late.status, late.body.code]).toEqual([412, 'precondition_failed']);
    expect((await me.ask('GET', '/me')).body.name).toBe('A');
    const second = await seen();
    await me.ask('PATCH', '/me', { body: { name: 'mine' } });
    expect((await edit(me.id, { name: 'B' }, second)).status).toBe(412);
    expect((await edit(me.id, { name: 'C' }, '*')).status).toBe(200);
    expect((await edit(nobody, { name: 'C' }, '*')).status).toBe(404);
  });

  it('of two with the same If-Match at once lets one pass (A-07)', async () => {
    const me = await member();
    for (let round = 0; round < 5; round++) {
      const etag = (await admin.ask('GET', at(me.id))).headers.get('etag')!;
      const answers = await Promise.all(
        ['a', 'b', 'c'].map((name) => edit(me.id, { name: `${name}${round}` }, etag)),
      );
      expect(statusesOf(answers)).toEqual([200, 412, 412]);
      const winner = answers.find(({ status }) => status === 200)!;
      expect((await me.now()).name).toBe(winner.body.name);
    }
  });
});

describe('DELETE /admin/users/{id}', () => {
  it('deletes for good, on the next request, and never the last administrator', async () => {
    const me = await member();
    expect((await admin.ask('DELETE', at(me.id))).status).toBe(204);
    expect((await me.ask('GET', '/me')).status).toBe(401);
    expect(await User.findByPk(me.id)).toBeNull();
    expect((await admin.ask('DELETE', at(me.id))).status).toBe(404);
    await alone();
    expect((await admin.ask('DELETE', at(admin.id))).body.code).toBe('last_admin');
    expect((await admin.ask('GET', '/me')).status).toBe(200);
  });
});

describe('sessions of a user', () => {
  it('are listed page by page, and ended one by one or all at once', async () => {
    const me = await member();
    const tokens = [me.tokens, (await logIn(me.username)).body, (await logIn(me.username)).body];
    const ids = tokens.map(({ session }) => session.id).toReversed();
    const page = await admin.ask('GET', at(me.id, '/sessions?limit=2'));
    expect(page.body.data.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 2));
    const { nextCursor } = page.body;
    const rest = await admin.ask('GET', at(me.id, `/sessions?limit=2&cursor=${nextCursor}`));
    expect(rest.body.data.map(({ id }: { id: string }) => id)).toEqual(ids.slice(2));
    expect(rest.body.nextCursor).toBeNull();
    for (const path of [at(admin.id, '/sessions'), '/admin/users'])
      expect((await admin.ask('GET', `${path}?cursor=${nextCursor}`)).status).toBe(400);

    expect((await admin.ask('DELETE', at(me.id, `/sessions/${ids[0]}`))).status).toBe(204);
    expect((await admin.ask('DELETE', at(me.id, `/sessions/${ids[0]}`))).status).toBe(404);
    const asks = () =>
      Promise.all(tokens.map(({ accessToken: token }) => ask('GET', '/me', { token })));
    expect((await asks()).map(({ status }) => status)).toEqual([200, 200, 401]);
    expect((await admin.ask('DELETE', at(me.id, '/sessions'))).status).toBe(204);
    expect((await asks()).map(({ status }) => status)).toEqual([401, 401, 401]);
    expect((await admin.ask('GET', at(me.id, '/sessions'))).body.data).toEqual([]);
  });
});

describe('POST /admin/users/{id}/password-reset', () => {
  const reset = (id: string, body?: object) =>
    admin.ask('POST', at(id, '/password-reset'), { ...(body && { body }) });

  it('mails the link, and ends the sessions if asked to', async () => {
    const me = await member();
    expect((await reset(me.id)).status).toBe(202);
    const { secrets, subject } = await mailbox.next(me.email);
    expect(subject).toBe('Choose a new password');
    expect((await me.ask('GET', '/me')).status).toBe(200);
    const body = { ...secrets, password: 'another long password' };
    expect((await ask('POST', '/auth/password/reset', { body })).status).toBe(204);
    expect((await logIn(me.username, 'another long password')).status).toBe(200);
    const other = await member();
    expect((await reset(other.id, { endSessions: true })).status).toBe(202);
    expect((await other.ask('GET', '/me')).status).toBe(401);
  });

  it('answers 409 for who has no address or is disabled, and 400 for any other body', async () => {
    const nameless = await register();
    expect((await reset(nameless.id)).body.code).toBe('conflict');
    const me = await member();
    for (const body of [{ endSessions: 'yes' }, { surplus: 1 }, [], { password }])
      expect((await reset(me.id, body)).status).toBe(400);
    await auth.users.disable(me.id);
    expect((await reset(me.id, { endSessions: true })).body.code).toBe('conflict');
    expect(mailbox.all(me.email)).toEqual([]);
  });
});

describe('the same', () => {
  it('by the app that embeds the server', async () => {
    const me = await member();
    const to = address();
    const changed = await auth.users.edit(me.username, { name: 'Ada', email: to });
    expect([changed.name, changed.email, changed.emailVerifiedAt]).toEqual(['Ada', to, null]);
    expect((await mailbox.next(to)).subject).toBe('Confirm your new e-mail address');
    expect(await auth.users.details(me.id)).toMatchObject({ id: me.id, apiKeys: 0, factors: [] });
    await auth.users.sendPasswordReset(me.id, { endSessions: true });
    expect((await mailbox.next(to)).subject).toBe('Choose a new password');
    expect((await me.ask('GET', '/me')).status).toBe(401);
    const refused = (code: string) => expect.objectContaining({ name: 'Problem', code });
    await expect(auth.users.edit(me.id, { email: 'x' })).rejects.toEqual(
      refused('invalid_request'),
    );
    await expect(auth.users.edit('nobody', { name: 'x' })).rejects.toEqual(refused('not_found'));
    await expect(auth.users.details('nobody')).rejects.toEqual(refused('not_found'));
  });

  it('on the command line', async () => {
    const me = await member();
    const { username } = me;
    await refuses(`user set ${username}`, /Give --name, --username or --email/);
    await refuses(`user set ${username} --email x`, /argument 'x' is invalid/);
    await refuses(`user set nobody --name x`, /no such user/);
    expect(await json(`user set ${username} --name Ada`)).toMatchObject({ id: me.id, name: 'Ada' });
    const to = address();
    expect(await does(`user set ${username} --email ${to}`)).toMatch(`confirm the address`);
    expect((await mailbox.next(to)).subject).toBe('Confirm your new e-mail address');
    const { data } = await json(`session list ${username}`);
    expect(data).toMatchObject([{ id: me.tokens.session.id }]);
    await refuses(`user set ${to} --username= --email=`, /last way in/);
    expect(await json(`user set ${username} --name=`)).toMatchObject({ name: null });
    expect(await does(`user reset-password ${username}`)).toMatch(`on its way to ${to}`);
    expect((await mailbox.next(to)).subject).toBe('Choose a new password');
    expect(await json(`session end --user ${username}`)).toEqual({ userId: me.id, ended: 1 });
    expect((await me.ask('GET', '/me')).status).toBe(401);
    await refuses(`user reset-password ${username} --end-sessions`, /confirm it with --yes/);
    await does(`user disable ${username}`);
    await refuses(`user reset-password ${username}`, /disabled/);
    await does(`user delete ${username} --yes`);
    expect(await User.findByPk(me.id)).toBeNull();
  });
});
