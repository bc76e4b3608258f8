import { describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { statusesOf } from '#test/support/client';
import { openMailbox } from '#test/support/mailbox';
import { rounds } from '#test/support/rounds';
import { folderOf, providerFile } from '#test/support/strategy-folder';

const mailbox = await openMailbox();
const { ask, register, logIn, routes, User, Identity, ApiKey, Session, OneTimeToken } =
  await startApp({
    STRATEGIES_DIR: folderOf({ 'far.mjs': providerFile('far'), 'near.mjs': providerFile('near') }),
    API_KEYS: 'on',
    BASIC_AUTH: 'on',
    ...mailbox.env,
  });
const far = (claims: object, name = 'far') => ask('POST', `/auth/${name}`, { body: claims });
let made = 0;
const fresh = () => ({ subject: `s${++made}`, email: `somebody${made}@far.test` });
const refused = { status: 409, code: 'already_linked', action: 'fix_request' };
const proved = (id: string) => User.update({ emailVerifiedAt: new Date() }, { where: { id } });

describe('the first sign-in', () => {
  it('makes a user with the role `user`, and the next ones find them', async () => {
    const claims = { ...fresh(), emailVerified: true, username: 'fara', name: 'Fara' };
    const { status, body } = await far(claims);
    expect([status, body.session.strategy]).toEqual([200, 'far']);
    expect(body.user).toMatchObject({
      username: 'fara',
      email: claims.email,
      emailVerified: true,
      name: 'Fara',
      roles: ['user'],
    });
    expect((await far({ subject: claims.subject })).body.user.id).toBe(body.user.id);
    expect((await User.findByPk(body.user.id))!.passwordHash).toBeNull();
  });

  it('takes an address for proved only if the provider says exactly that', async () => {
    for (const emailVerified of [undefined, null, false, 'true', 1, {}]) {
      const { body } = await far({ ...fresh(), emailVerified });
      expect(body.user.emailVerified).toBe(false);
    }
  });

  it('keys by provider and subject: another provider, another user', async () => {
    const { subject } = fresh();
    const [one, other] = [await far({ subject }), await far({ subject }, 'near')];
    expect(one.body.user.id).not.toBe(other.body.user.id);
    expect((await far({ subject: subject.toUpperCase() })).body.user.id).not.toBe(one.body.user.id);
    expect((await far({ subject: `${subject} ` })).body.user.id).not.toBe(one.body.user.id);
  });

  it.each([
    ['a name that is taken', { username: 'taken' }, { username: null }],
    ['a reserved name', { username: 'Admin' }, { username: null }],
    ['a name of mixed scripts', { username: 'аda' }, { username: null }],
    ['an address that is none', { email: 'nobody' }, { email: null, emailVerified: false }],
    ['an address with a line break', { email: 'a@b.test\nBcc: c@d.test' }, { email: null }],
    ['a name of control characters', { name: 'a\u0000b' }, { name: null }],
    ['a name that turns text around', { name: 'a\u202eb' }, { name: null }],
    [
      'things that are no text',
      { username: 1, name: {}, email: [] },
      { username: null, name: null, email: null },
    ],
  ])('leaves out %s', async (_what, claims, expected) => {
    await far({ ...fresh(), username: 'taken' });
    const { status, body } = await far({
      subject: `leaves out ${++made}`,
      emailVerified: true,
      ...claims,
    });
    expect(status).toBe(200);
    expect(body.user).toMatchObject(expected);
  });

  it.each([
    undefined,
    null,
    '',
    ' ',
    {},
    [],
    true,
    'x'.repeat(513),
    'a\u0000b',
    '\ud800',
    'undefined',
    'null',
    ' (null)',
    NaN,
    'NaN',
    '[object Object]',
    '[object Undefined]',
    'None',
    '<nil>',
    'UNDEFINED',
    '"undefined"',
    "'null'",
    '\u200b\u00a0',
    'acme:undefined',
    'https://idp.test null',
    0,
    '0',
    -1,
    1.5,
    2 ** 53,
    Infinity,
    '00000000-0000-0000-0000-000000000000',
  ])('is none without a subject: %j', async (subject) => {
    const before = await User.count();
    const answer = far({ ...fresh(), subject });
    if (typeof subject === 'string') expect(await answer).toMatchObject({ status: 401 });
    else await expect(answer).rejects.toThrow('500'); // the strategy broke its contract: that is ours to mend, not the client's
    expect(await User.count()).toBe(before);
  });

  it('of 10 at once makes one user', async () => {
    for (let round = 0; round < rounds(3, 50); round++) {
      const claims = { ...fresh(), emailVerified: true, username: `racer${made}` };
      const answers = await Promise.all(Array.from({ length: 10 }, () => far(claims)));
      expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
      expect(new Set(answers.map(({ body }) => body.user.id)).size).toBe(1);
      expect(await User.count({ where: { emailCanonical: claims.email } })).toBe(1);
    }
  });

  it('of two providers at once, with one address, makes one user', async () => {
    for (let round = 0; round < rounds(3, 50); round++) {
      const { subject, email } = fresh();
      const claims = { subject, email, emailVerified: true };
      const answers = await Promise.all([far(claims), far(claims, 'near')]);
      expect(new Set(answers.map(({ body }) => body.user.id)).size).toBe(1);
    }
  });
});

describe('an address that somebody here has', () => {
  it('joins the two when both have proved it', async () => {
    const { subject, email } = fresh();
    const { id } = await register({ email });
    await proved(id);
    const { body } = await far({ subject, email: email.toUpperCase(), emailVerified: true });
    expect(body.user).toMatchObject({ id, email });
    expect((await mailbox.next(email)).subject).toBe('A new way to sign in');
    expect((await logIn(email)).status).toBe(200); // the password is theirs
  });

  it.each([true, false])(
    'joins nobody when the provider has not proved it (here: %s)',
    async (here) => {
      const { subject, email } = fresh();
      const { id } = await register({ email });
      if (here) await proved(id);
      expect((await far({ subject, email })).body).toMatchObject(refused);
      expect((await far({ subject, email, emailVerified: 'true' })).body).toMatchObject(refused);
      expect(await Identity.count({ where: { userId: id } })).toBe(0);
    },
  );

  it('goes to its owner when nobody here has proved it: the user who waited for them is signed out', async () => {
    const { subject, email } = fresh();
    const squatter = await register({ email, name: 'Not me' });
    const { username } = squatter;
    const { body: key } = await squatter.ask('POST', '/me/api-keys', { body: { name: 'mine' } });
    await Identity.create({
      id: squatter.id,
      userId: squatter.id,
      provider: 'near',
      subject: `squatter ${subject}`,
      email: null,
    });
    await OneTimeToken.create({
      digest: subject.padEnd(64, '0'),
      purpose: 'test',
      userId: squatter.id,
      expiresAt: new Date(Date.now() + 60_000),
    });

    const { status, body } = await far({
      subject,
      email,
      emailVerified: true,
      name: 'Its owner',
      username: 'another',
    });
    expect([status, body.user]).toMatchObject([
      200,
      { id: squatter.id, emailVerified: true, name: 'Its owner', username },
    ]);
    expect((await logIn(email)).status).toBe(401);
    expect((await squatter.ask('GET', '/me')).body.code).toBe('session_ended');
    expect(
      (await ask('POST', '/auth/refresh', { body: { refreshToken: squatter.tokens.refreshToken } }))
        .body.sessionStatus,
    ).toBe('ended');
    expect((await ask('GET', '/me', { headers: { 'x-api-key': key.key } })).body.code).toBe(
      'token_invalid',
    );
    expect((await far({ subject: `squatter ${subject}` }, 'near')).body.user.id).not.toBe(
      squatter.id,
    );
    for (const table of [ApiKey, OneTimeToken] as (typeof ApiKey)[])
      expect(await table.count({ where: { userId: squatter.id } })).toBe(0);
    expect(await Session.count({ where: { userId: squatter.id, endedAt: null } })).toBe(1);
    expect((await ask('GET', '/me', { token: body.accessToken })).status).toBe(200);
  });

  it('never gives away a user with more rights than everybody has', async () => {
    const { subject, email } = fresh();
    const admin = await register({ email }, 'admin');
    expect((await far({ subject, email, emailVerified: true })).body).toMatchObject(refused);
    expect((await admin.ask('GET', '/me')).status).toBe(200);
    expect((await logIn(email)).status).toBe(200);
  });

  it('lets nobody in to a user who is disabled', async () => {
    for (const verified of [true, false]) {
      const { subject, email } = fresh();
      const { id } = await register({ email });
      await User.update(
        { disabledAt: new Date(), ...(verified && { emailVerifiedAt: new Date() }) },
        { where: { id } },
      );
      expect((await far({ subject, email, emailVerified: true })).body).toMatchObject({
        status: 401,
        code: 'invalid_credentials',
      });
      expect(await Identity.count({ where: { userId: id } })).toBe(0);
    }
  });

  it('loses to a sign-in with the password that comes at the same moment, or ends it', async () => {
    for (let round = 0; round < rounds(4, 50); round++) {
      const { subject, email } = fresh();
      await register({ email });
      const [byPassword] = await Promise.all([
        logIn(email),
        far({ subject, email, emailVerified: true }),
      ]);
      if (byPassword.status === 200)
        expect((await ask('GET', '/me', { token: byPassword.body.accessToken })).body.code).toBe(
          'session_ended',
        );
      else expect(byPassword.status).toBe(401);
    }
  });
});

describe('linking', () => {
  it('joins a provider to the signed-in user, once', async () => {
    const me = await register();
    const { subject, email } = fresh();
    const { status, body } = await me.ask('POST', '/me/identities/far', {
      body: { subject, email, emailVerified: true },
    });
    expect([status, body]).toEqual([
      201,
      { id: expect.any(String), provider: 'far', email, createdAt: expect.any(String) },
    ]);
    expect((await me.ask('POST', '/me/identities/far', { body: { subject } })).body.id).toBe(
      body.id,
    );
    expect((await far({ subject })).body.user.id).toBe(me.id);
    expect((await me.ask('GET', '/me/identities')).body).toEqual({
      data: [body],
      nextCursor: null,
    });
  });

  it('refuses what somebody else has', async () => {
    const [me, other] = [await register(), await register()];
    const { subject } = fresh();
    await other.ask('POST', '/me/identities/far', { body: { subject } });
    expect((await me.ask('POST', '/me/identities/far', { body: { subject } })).body).toMatchObject(
      refused,
    );
    expect((await me.ask('GET', '/me/identities')).body.data).toEqual([]);
  });

  it('of two users at once joins it to one', async () => {
    for (let round = 0; round < rounds(4, 100); round++) {
      const { subject } = fresh();
      const users = [await register(), await register()];
      const answers = await Promise.all(
        users.map((user) => user.ask('POST', '/me/identities/far', { body: { subject } })),
      );
      expect(statusesOf(answers)).toEqual([201, 409]);
    }
  });

  it('takes a session whose user proved who they are in the last hour: no stolen token and no standing key makes itself at home', async () => {
    const me = await register();
    const link = (question: object) =>
      ask('POST', '/me/identities/far', { body: { subject: `thief ${me.id}` }, ...question });
    expect(
      (await link({ headers: { authorization: `Basic ${btoa(`${me.username}:${password}`)}` } }))
        .body.code,
    ).toBe('step_up_required');
    await Session.update(
      { createdAt: new Date(Date.now() - 3_601_000) },
      { where: { userId: me.id }, silent: true },
    );
    expect((await link({ token: me.token })).body.code).toBe('step_up_required');
    expect(
      (
        await ask('POST', '/auth/reauthenticate', {
          body: { password },
          headers: { authorization: `Basic ${btoa(`${me.username}:${password}`)}` },
        })
      ).body,
    ).toMatchObject({
      status: 403,
      code: 'forbidden',
      required: ['session'],
    });
    expect(await Identity.count({ where: { userId: me.id } })).toBe(0);
  });

  it('is for those who are signed in, at providers that are there', async () => {
    expect((await ask('POST', '/me/identities/far', { body: fresh() })).status).toBe(401);
    const me = await register();
    for (const name of ['local', 'jwt', 'api-key', 'nowhere', 'google'])
      expect([404, 405]).toContain(
        (await me.ask('POST', `/me/identities/${name}`, { body: {} })).status,
      );
    expect(
      routes.filter(({ path }) => path.startsWith('/me/identities/')).map(({ path }) => path),
    ).toEqual(['/me/identities/:id', '/me/identities/far', '/me/identities/near']);
  });
});

describe('unlinking', () => {
  const linked = async (me: Awaited<ReturnType<typeof register>>, name = 'far') =>
    (await me.ask('POST', `/me/identities/${name}`, { body: { subject: fresh().subject } })).body
      .id as string;

  it('takes a provider away', async () => {
    const me = await register();
    const id = await linked(me);
    const { subject } = (await Identity.findByPk(id))!;
    expect((await me.ask('DELETE', `/me/identities/${id}`)).status).toBe(204);
    expect((await me.ask('DELETE', `/me/identities/${id}`)).status).toBe(404);
    expect((await far({ subject })).body.user.id).not.toBe(me.id);
  });

  it('answers 404 for what is not yours', async () => {
    const [me, other] = [await register(), await register()];
    expect((await me.ask('DELETE', `/me/identities/${await linked(other)}`)).status).toBe(404);
  });

  it('never takes the last way in, also of two at once', async () => {
    for (let round = 0; round < rounds(4, 100); round++) {
      const { body } = await far(fresh());
      const asUser = (method: string, path: string, question = {}) =>
        ask(method, path, { token: body.accessToken, ...question });
      const [first] = (await asUser('GET', '/me/identities')).body.data;
      expect((await asUser('DELETE', `/me/identities/${first.id}`)).body).toMatchObject({
        status: 409,
        code: 'last_way_in',
      });
      const second = (
        await asUser('POST', '/me/identities/near', { body: { subject: fresh().subject } })
      ).body;
      const answers = await Promise.all(
        [first.id, second.id].map((id) => asUser('DELETE', `/me/identities/${id}`)),
      );
      expect(statusesOf(answers)).toEqual([204, 409]);
    }
  });

  it('does not count a provider that is switched off', async () => {
    const { body } = await far(fresh());
    await Identity.create({
      id: body.user.id,
      userId: body.user.id,
      provider: 'gone',
      subject: body.user.id,
      email: null,
    });
    const first = (await ask('GET', '/me/identities', { token: body.accessToken })).body.data.find(
      ({ provider }: { provider: string }) => provider === 'far',
    );
    expect(
      (await ask('DELETE', `/me/identities/${first.id}`, { token: body.accessToken })).body.code,
    ).toBe('last_way_in');
  });

  it('goes with its user', async () => {
    const me = await register();
    const id = await linked(me);
    expect((await me.ask('DELETE', '/me', { body: { password } })).status).toBe(204);
    expect(await Identity.findByPk(id)).toBeNull();
  });
});
