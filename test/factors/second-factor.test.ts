import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { issueToken } from '#src/one-time-tokens/one-time-tokens';
import { serve } from '#src/server-program';
import { RESET, RESTORE } from '#src/user-mail/mail-tokens';
import { password, startApp, testSecret } from '#test/support/app';
import { clientOf, statusesOf } from '#test/support/client';
import { wait } from '#test/support/clock';
import { times } from '#test/support/limited';
import { rounds } from '#test/support/rounds';
import { isForUsers } from '#test/support/routes';
import { addApp, STEP_MS, totpCode } from '#test/support/second-factor';
import { statementsOf } from '#test/support/statements';

const app = await startApp();
const { auth, ctx, ask, env, logIn, register, routes, Factor, RecoveryCode, Session, User } = app;
const sent = statementsOf(User.sequelize);

afterEach(() => void vi.useRealTimers());

const newPassword = 'staple battery horse correct';
async function withFactor(fields: object = {}) {
  const me = await register(fields);
  return { ...me, ...(await addApp(ctx, me)) };
}
/** The answer to the right password. */
async function begin(username: string, secret = password) {
  const { status, body, text } = await logIn(username, secret);
  expect([status, body.code], text).toEqual([403, 'mfa_required']);
  return body as { mfaToken: string; factors: string[]; action: string };
}
const finish = (mfaToken: string, answer: object, more: object = {}) =>
  ask('POST', '/auth/mfa', { body: { mfaToken, ...answer, ...more } });
const liveSessions = async (id: string) => (await auth.sessions.list(id)).length;

describe('a user with a second factor', () => {
  it('gets tokens for password and code, and nothing for the password alone', async () => {
    const ada = await withFactor();
    const sessions = await Session.count();
    const begun = await begin(ada.username);
    expect(begun).toMatchObject({
      title: 'A second factor is needed',
      action: 'second_factor',
      factors: ['totp', 'recovery_code'],
    });
    expect(begun.mfaToken).toMatch(/^[\w-]{43}$/);
    expect(JSON.stringify(begun)).not.toMatch(/eyJ[\w-]+\.|rt1\./);
    expect(await Session.count()).toBe(sessions);
    const { status, body, text } = await finish(begun.mfaToken, { code: ada.code() });
    expect(status, text).toBe(200);
    expect(body).toMatchObject({
      session: { strategy: 'local', amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' },
      user: { id: ada.id },
    });
    expect((await ask('GET', '/me', { token: body.accessToken })).body.id).toBe(ada.id);
    expect(await Session.count()).toBe(sessions + 1);
    expect((await Factor.findByPk(ada.factorId))!.lastUsedAt).toBeInstanceOf(Date);
  });

  it('signs in with a recovery code in any form, once (M-11)', async () => {
    const ada = await withFactor();
    const [one, two, three] = ada.recoveryCodes as [string, string, string];
    const forms = [one, two.toLowerCase().replaceAll('-', ''), ` ${three.replaceAll('-', ' ')}`];
    for (const recoveryCode of forms) {
      const { mfaToken } = await begin(ada.username);
      const answer = await finish(mfaToken, { recoveryCode });
      expect(answer.status, answer.text).toBe(200);
    }
    const { mfaToken } = await begin(ada.username);
    for (const recoveryCode of forms)
      expect((await finish(mfaToken, { recoveryCode })).body.code).toBe('invalid_credentials');
    expect((await ada.ask('GET', '/me/factors')).body.recoveryCodesLeft).toBe(7);
  });

  it('is let in by O and I that were meant as 0 and 1', async () => {
    const ada = await withFactor();
    const recoveryCode = ada.recoveryCodes.find((code) => /[01]/.test(code));
    const { mfaToken } = await begin(ada.username);
    const typed = (recoveryCode ?? ada.recoveryCodes[0]!).replaceAll('0', 'o').replaceAll('1', 'l');
    expect((await finish(mfaToken, { recoveryCode: typed })).status).toBe(200);
  });

  it('has no use for old recovery codes when there are new ones (M-11)', async () => {
    const ada = await withFactor();
    const { body } = await ada.ask('POST', '/me/factors/recovery-codes');
    expect(body.recoveryCodes).toHaveLength(10);
    const { mfaToken } = await begin(ada.username);
    const [old] = ada.recoveryCodes;
    expect((await finish(mfaToken, { recoveryCode: old })).status).toBe(401);
    const [fresh] = body.recoveryCodes;
    expect((await finish(mfaToken, { recoveryCode: fresh })).status).toBe(200);
  });

  it('goes on with two factors after another password, and is asked for them at the next sign-in', async () => {
    const ada = await withFactor();
    const { mfaToken } = await begin(ada.username);
    const { body } = await finish(mfaToken, { code: ada.code() });
    const changed = await ask('PUT', '/me/password', {
      token: body.accessToken,
      body: { currentPassword: password, newPassword },
    });
    expect(changed.status, changed.text).toBe(200);
    expect(changed.body.session).toMatchObject({ amr: ['pwd', 'otp', 'mfa'], acr: 'aal2' });
    await begin(ada.username, newPassword);
  });

  it('keeps the device that the first step named, and the lifetime that goes with it', async () => {
    const ada = await withFactor();
    const device = { kind: 'mobile', name: 'phone', platform: 'iOS' };
    const { body: begun } = await ask('POST', '/auth/login', {
      body: { identifier: ada.username, password, device },
    });
    const other = { kind: 'desktop', name: 'laptop' };
    const { body } = await finish(begun.mfaToken, { code: ada.code() }, { device: other });
    const { data } = (await ask('GET', '/me/sessions', { token: body.accessToken })).body;
    expect(data.find((each: { current: boolean }) => each.current).device).toMatchObject(device);
    expect(body.refreshExpiresIn).toBe(60 * 24 * 3600);
  });

  it('is asked again after a password reset by mail, after a change of address and its undo (M-12)', async () => {
    const email = 'ada-of-mails@example.com';
    const ada = await withFactor({ email });
    const token = await issueToken(ctx, 'reset password', 60, { userId: ada.id, data: email });
    const reset = await ask('POST', '/auth/password/reset', {
      body: { token, password: newPassword },
    });
    expect(reset.status, reset.text).toBe(204);
    const { mfaToken } = await begin(email, newPassword);
    const { body } = await finish(mfaToken, { code: ada.code() });
    const wanted = 'lovelace-of-mails@example.com';
    await ask('POST', '/me/email', {
      token: body.accessToken,
      body: { email: wanted, currentPassword: newPassword },
    });
    const data = { email: wanted, emailCanonical: wanted };
    await User.update({ ...data, emailVerifiedAt: new Date() }, { where: { id: ada.id } });
    await begin(wanted, newPassword);

    const address = { display: email, canonical: email };
    const old = { address, verifiedAt: new Date().toISOString() };
    const undo = await issueToken(ctx, RESTORE, 60, { userId: ada.id, data: old });
    const undone = await ask('POST', '/auth/email/restore', { body: { token: undo } });
    expect(undone.status, undone.text).toBe(204);
    const again = await issueToken(ctx, RESET, 60, { userId: ada.id, data: email });
    await ask('POST', '/auth/password/reset', { body: { token: again, password } });
    await begin(email);
    expect(await Factor.count({ where: { userId: ada.id } })).toBe(1);
    expect(await RecoveryCode.count({ where: { userId: ada.id } })).toBe(10);
  });
});

// M-01
describe('the token of the first step', () => {
  it('is no access token on any route, nor anything else that lets somebody in', async () => {
    const ada = await withFactor();
    const { mfaToken } = await begin(ada.username);
    const sessions = await Session.count();
    const id = '0197a000-0000-7000-8000-000000000000';
    for (const { method, path } of routes.filter(isForUsers)) {
      const target = path.replaceAll(/:\w+/g, id);
      const body = method === 'get' ? {} : { body: {} };
      const answer = await ask(method.toUpperCase(), target, { token: mfaToken, ...body });
      expect([answer.status, answer.body.code], path).toEqual([401, 'token_invalid']);
    }
    const others: [path: string, body: object, code: string][] = [
      ['/auth/refresh', { refreshToken: mfaToken }, 'invalid_grant'],
      ['/auth/exchange', { code: mfaToken, codeVerifier: 'x'.repeat(43) }, 'invalid_code'],
      ['/auth/password/reset', { token: mfaToken, password: newPassword }, 'invalid_code'],
      ['/auth/email/verify', { token: mfaToken }, 'invalid_code'],
      ['/auth/email/restore', { token: mfaToken }, 'invalid_code'],
    ];
    for (const [path, body, code] of others)
      expect((await ask('POST', path, { body })).body.code, path).toBe(code);
    expect(await Session.count()).toBe(sessions);
    expect((await finish(mfaToken, { code: ada.code() })).status).toBe(200);
  });

  it('takes no factor of somebody else (M-02)', async () => {
    const [ada, bob] = [await withFactor(), await withFactor()];
    const { mfaToken } = await begin(ada.username);
    for (const answer of [{ code: bob.code() }, { recoveryCode: bob.recoveryCodes[0] }]) {
      const { status, body } = await finish(mfaToken, answer);
      expect([status, body.code]).toEqual([401, 'invalid_credentials']);
    }
    const { mfaToken: bobs } = await begin(bob.username);
    expect((await finish(bobs, { recoveryCode: bob.recoveryCodes[0] })).status).toBe(200);
  });

  it('works once', async () => {
    const ada = await withFactor();
    const { mfaToken } = await begin(ada.username);
    const [one, two] = ada.recoveryCodes;
    expect((await finish(mfaToken, { recoveryCode: one })).status).toBe(200);
    expect((await finish(mfaToken, { recoveryCode: two })).body.code).toBe('invalid_code');
    expect((await ada.ask('GET', '/me/factors')).body.recoveryCodesLeft).toBe(9);
  });

  it('ends with the fifth wrong answer', async () => {
    const ada = await withFactor();
    const { mfaToken } = await begin(ada.username);
    const wrong = totpCode(ada.secret, ctx.clock.now(), 100);
    for (let i = 0; i < 5; i++)
      expect((await finish(mfaToken, { code: wrong })).body.code).toBe('invalid_credentials');
    expect((await finish(mfaToken, { code: ada.code() })).body).toMatchObject({
      code: 'invalid_code',
      action: 'sign_in',
    });
    const { mfaToken: next } = await begin(ada.username);
    expect((await finish(next, { code: ada.code() })).status).toBe(200);
  });

  it('allows five answers, however many come at once', async () => {
    const ada = await withFactor();
    const { mfaToken } = await begin(ada.username);
    const wrong = totpCode(ada.secret, ctx.clock.now(), 100);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => finish(mfaToken, { code: wrong })),
    );
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(5);
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(15);
  });

  it('is good for five minutes', async () => {
    const ada = await withFactor();
    const { mfaToken } = await begin(ada.username);
    wait(5 * 60_000 + 1000);
    expect((await finish(mfaToken, { code: ada.code() })).body.code).toBe('invalid_code');
  });

  it.each(['', 'x', 'x'.repeat(43), 'x'.repeat(129), null, ['x'], { $ne: 1 }])(
    'is refused when it is %j',
    async (mfaToken) => {
      const { status, body } = await ask('POST', '/auth/mfa', {
        body: { mfaToken, code: '123456' },
      });
      expect(status).toBe(400);
      expect(body.code).toMatch(/^invalid_(code|request)$/);
    },
  );

  it('of another server, or with a letter less, is refused (M-17)', async () => {
    const ada = await withFactor();
    const other = await startApp();
    const eve = await other.register();
    const theirs = await addApp(other.ctx, eve);
    const { mfaToken } = (await other.logIn(eve.username)).body;
    expect((await finish(mfaToken, { code: theirs.code() })).body.code).toBe('invalid_code');
    const { mfaToken: own } = await begin(ada.username);
    expect((await finish(own.slice(1), { code: ada.code() })).body.code).toBe('invalid_code');
  });

  it('that was issued under APP_SECRET_PREVIOUS is good for as long as it would be (M-17)', async () => {
    const [ada, bob] = [await withFactor(), await withFactor()];
    const [{ mfaToken }, late] = [await begin(ada.username), await begin(bob.username)];
    const secrets = { APP_SECRET: testSecret(), APP_SECRET_PREVIOUS: env.APP_SECRET };
    const rotated = await serve({ ...env, ...secrets });
    const there = (token: string, code: string) =>
      clientOf(rotated.url)('POST', '/auth/mfa', { body: { mfaToken: token, code } });
    const { status, text } = await there(mfaToken, ada.code());
    expect(status, text).toBe(200);
    wait(301_000);
    expect((await there(late.mfaToken, bob.code())).body.code).toBe('invalid_code');
    vi.useRealTimers();
    rotated.server.closeAllConnections();
    await rotated.stop();
  });

  it('goes with one answer and no unknown field', async () => {
    const ada = await withFactor();
    const { mfaToken } = await begin(ada.username);
    for (const answer of [
      {},
      { code: ada.code(), recoveryCode: ada.recoveryCodes[0] },
      { code: ada.code(), userId: ada.id },
      { code: '12345a' },
      { recoveryCode: 'short' },
      { recoveryCode: 'U'.repeat(16) },
      { recoveryCode: [ada.recoveryCodes[0]] },
    ]) {
      const { status, body } = await finish(mfaToken, answer);
      expect([status, body.code], JSON.stringify(answer)).toEqual([400, 'invalid_request']);
    }
    expect((await finish(mfaToken, { code: ada.code() })).status).toBe(200);
  });

  it('has no options while every factor is a code', async () => {
    const ada = await withFactor();
    const { mfaToken } = await begin(ada.username);
    const options = (body: object) => ask('POST', '/auth/mfa/options', { body });
    expect((await options({ mfaToken })).body.code).toBe('not_found');
    expect((await options({ mfaToken: 'x'.repeat(43) })).body.code).toBe('invalid_code');
    expect((await finish(mfaToken, { code: ada.code() })).status).toBe(200);
  });
});

// M-06
describe('a sign-in that waits is void after', () => {
  type Person = Awaited<ReturnType<typeof withFactor>>;
  it.each<[what: string, work: (ada: Person) => Promise<unknown>]>([
    [
      'another password',
      ({ ask: mine }) =>
        mine('PUT', '/me/password', { body: { currentPassword: password, newPassword } }),
    ],
    ['a password of an operator', ({ id }) => auth.users.setPassword(id, newPassword)],
    [
      'a password that was changed in the moment before the token was issued',
      ({ id }) => User.update({ passwordHash: 'another' }, { where: { id } }),
    ],
    ['disabling', ({ id }) => auth.users.disable(id)],
    [
      'disabling and enabling',
      async ({ id }) => {
        await auth.users.disable(id);
        await auth.users.enable(id);
      },
    ],
    ['another role', ({ id }) => auth.roles.grant(id, 'moderator')],
    [
      'the removal of a factor',
      async (ada) => {
        const { factorId } = await addApp(ctx, ada);
        await ada.ask('DELETE', `/me/factors/${factorId}`);
      },
    ],
    [
      'the removal of the factor',
      ({ ask: mine, factorId }) => mine('DELETE', `/me/factors/${factorId}`),
    ],
    ['the end of another session', ({ ask: mine }) => mine('POST', '/auth/logout', { body: {} })],
    ['a sign-out everywhere', ({ id }) => auth.sessions.endAll(id)],
    ['deletion', ({ id }) => auth.users.delete(id)],
  ])('%s', async (_what, work) => {
    const ada = await withFactor();
    const { mfaToken } = await begin(ada.username);
    await new Promise((resolve) => setTimeout(resolve, 2)); // the end of a session is compared to the millisecond
    await work(ada);
    const sessions = await Session.count();
    for (const answer of [{ code: ada.code() }, { recoveryCode: ada.recoveryCodes[0] }]) {
      const { status, body } = await finish(mfaToken, answer);
      expect([status, body.code]).toEqual([400, 'invalid_code']);
    }
    expect(await Session.count()).toBe(sessions);
  });

  it('not after a refresh, or a factor more', async () => {
    const ada = await withFactor();
    const { mfaToken } = await begin(ada.username);
    const { refreshToken } = ada.tokens;
    expect((await ask('POST', '/auth/refresh', { body: { refreshToken } })).status).toBe(200);
    const second = await addApp(ctx, ada);
    expect((await finish(mfaToken, { code: second.code() })).status).toBe(200);
  });
});

// M-03
describe('a code', async () => {
  const second = await serve(env);
  const elsewhere = clientOf(second.url);
  const nodes = [ask, elsewhere];
  afterAll(async () => {
    second.server.closeAllConnections();
    await second.stop();
  });

  it('lets in one of twenty who come with it at once, on two nodes', async () => {
    for (let round = 0; round < rounds(3, 20); round++) {
      const ada = await withFactor();
      // One after the other: a busy machine compares no twenty passwords at once.
      const begun = await times(20, async () => (await begin(ada.username)).mfaToken);
      const before = await liveSessions(ada.id);
      const code = ada.code();
      const answers = await Promise.all(
        begun.map((mfaToken, i) =>
          nodes[i % 2]!('POST', '/auth/mfa', { body: { mfaToken, code } }),
        ),
      );
      expect(statusesOf(answers)).toEqual([200, ...Array.from({ length: 19 }, () => 401)]);
      expect(await liveSessions(ada.id)).toBe(before + 1);
    }
  });

  it('that is a recovery code lets in one of twenty, too', async () => {
    for (let round = 0; round < rounds(3, 20); round++) {
      const ada = await withFactor();
      // One after the other: a busy machine compares no twenty passwords at once.
      const begun = await times(20, async () => (await begin(ada.username)).mfaToken);
      const [recoveryCode] = ada.recoveryCodes;
      const answers = await Promise.all(
        begun.map((mfaToken, i) =>
          nodes[i % 2]!('POST', '/auth/mfa', { body: { mfaToken, recoveryCode } }),
        ),
      );
      expect(statusesOf(answers)).toEqual([200, ...Array.from({ length: 19 }, () => 401)]);
      expect(await RecoveryCode.count({ where: { userId: ada.id } })).toBe(9);
    }
  });

  // On SQLite one transaction waits for the other, so no race shows a read that comes before the write.
  it('that is a recovery code is spent by the first statement that looks for it (M-11)', async () => {
    const ada = await withFactor();
    const { mfaToken } = await begin(ada.username);
    sent.length = 0;
    const [recoveryCode] = ada.recoveryCodes;
    expect((await finish(mfaToken, { recoveryCode })).status).toBe(200);
    const first = sent.find((statement) => statement.includes('recovery_codes'));
    expect(first).toMatch(/^DELETE/);
  });

  it('of one token lets in once, and no second recovery code is lost', async () => {
    const ada = await withFactor();
    const { mfaToken } = await begin(ada.username);
    const answers = await Promise.all(
      ada.recoveryCodes.map((recoveryCode) => finish(mfaToken, { recoveryCode })),
    );
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(await RecoveryCode.count({ where: { userId: ada.id } })).toBe(9);
  });

  it('is spent, and so are those before it', async () => {
    wait(0);
    const ada = await withFactor();
    const next = ada.code(1);
    const { mfaToken } = await begin(ada.username);
    expect((await finish(mfaToken, { code: next })).status).toBe(200);
    const again = await begin(ada.username);
    for (const steps of [0, 1, -1])
      expect((await finish(again.mfaToken, { code: ada.code(steps) })).status, `${steps}`).toBe(
        401,
      );
    wait(2 * STEP_MS);
    const later = await begin(ada.username);
    for (const steps of [-2, 2])
      expect((await finish(later.mfaToken, { code: ada.code(steps) })).status, `${steps}`).toBe(
        401,
      );
    expect((await finish(later.mfaToken, { code: ada.code() })).status).toBe(200);
  });

  it('that confirmed the app is spent, too', async () => {
    wait(0);
    const ada = await register();
    const { body } = await ada.ask('POST', '/me/factors/totp', { body: {} });
    const code = totpCode(body.secret, ctx.clock.now());
    await ada.ask('POST', `/me/factors/totp/${body.id}/confirm`, { body: { code } });
    const { mfaToken } = await begin(ada.username);
    expect((await finish(mfaToken, { code })).status).toBe(401);
  });
});

it('a new password by mail leaves the factor, and does not confirm the address: a stranger may have enrolled it', async () => {
  const ada = await register();
  const email = `${ada.username}@example.com`;
  const unconfirmed = { email, emailCanonical: email, emailVerifiedAt: null };
  await User.update(unconfirmed, { where: { id: ada.id } });
  await addApp(ctx, ada);
  const token = await issueToken(ctx, RESET, 60, { userId: ada.id, data: email });
  const body = { token, password: 'staple battery horse correct' };
  expect((await ask('POST', '/auth/password/reset', { body })).status).toBe(204);
  expect(await User.findByPk(ada.id)).toMatchObject({ factors: 1, emailVerifiedAt: null });
  const entered = await ask('POST', '/auth/login', {
    body: { identifier: email, password: body.password },
  });
  expect([entered.status, entered.body.code]).toEqual([403, 'mfa_required']);
});
