import { describe, expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { statusesOf } from '#test/support/client';
import { SECOND, wait } from '#test/support/clock';
import { eventually } from '#test/support/eventually';
import { openMailbox } from '#test/support/mailbox';
import { rounds } from '#test/support/rounds';
import { statementsOf } from '#test/support/statements';

const mailbox = await openMailbox();
const { ask, register, logIn, User, Identity, ApiKey, OneTimeToken } = await startApp({
  ...mailbox.env,
  API_KEYS: 'on',
  PUBLIC_URL: 'https://auth.example',
});
const wanted = 'another long password';
let people = 0;
const address = () => `reader${++people}@example.com`;
const forgot = (email: string, headers = {}) =>
  ask('POST', '/auth/password/forgot', { body: { email }, headers });
const reset = (body: object) => ask('POST', '/auth/password/reset', { body });
const refused = { status: 400, code: 'invalid_code' };

/** Somebody who forgot, and the token they were mailed. */
async function forgetful() {
  const email = address();
  const user = await register({ email });
  expect((await forgot(email)).status).toBe(202);
  const mail = await mailbox.next(email);
  return { email, user, token: mail.secrets['token']!, mail };
}

describe('POST /auth/password/forgot', () => {
  it('answers the same for everybody, and mails only who is there and enabled (F-01, F-16, F-17)', async () => {
    const [known, disabled, external] = [address(), address(), address()];
    for (const email of [known, disabled, external]) await register({ email });
    await User.update({ disabledAt: new Date() }, { where: { emailCanonical: disabled } });
    await User.update({ passwordHash: null }, { where: { emailCanonical: external } });
    const answers = await Promise.all(
      [known, disabled, external, address()].map((email) => forgot(email)),
    );
    for (const { status, text } of answers) expect([status, text]).toEqual([202, '']);
    await mailbox.next(known);
    await mailbox.next(external);
    expect(mailbox.all(disabled)).toEqual([]);
  });

  it('runs the same statements for an address that nobody has', async () => {
    const statements = statementsOf(User.sequelize!, () => true);
    const [known, unknown] = [address(), address()];
    await register({ email: known });
    const kinds = async (email: string) => {
      statements.length = 0;
      await forgot(email);
      return statements
        .filter((sql) => /one_time_tokens|INSERT INTO .outgoing_mails|users/.test(sql))
        .map((sql) => sql.slice(0, 30));
    };
    expect(await kinds(unknown)).toEqual(await kinds(known));
  });

  it('of several at once leaves one link good', async () => {
    for (let round = 0; round < rounds(3, 50); round++) {
      const email = address();
      const { id: userId } = await register({ email });
      expect(statusesOf(await Promise.all(Array.from({ length: 5 }, () => forgot(email))))).toEqual(
        [202, 202, 202, 202, 202],
      );
      expect(await OneTimeToken.count({ where: { userId, purpose: 'reset password' } })).toBe(1);
    }
  });

  it('does not wait for a mail server that hangs, and mails when it answers again (F-20)', async () => {
    const email = address();
    await register({ email });
    mailbox.answer('RCPT', 'hold');
    expect((await forgot(email)).status).toBe(202);
    await eventually(() => expect(mailbox.holding).toBeGreaterThan(0));
    expect((await forgot(address())).status).toBe(202);
    mailbox.answer('RCPT', 'accept');
    mailbox.release();
    expect((await mailbox.next(email)).subject).toBe('Choose a new password');
  });

  it('builds its link from PUBLIC_URL alone (F-06)', async () => {
    const email = address();
    await register({ email });
    await forgot(email, {
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'http',
      origin: 'https://evil.example',
    });
    const mail = await mailbox.next(email);
    expect(mail.link).toMatch(/^https:\/\/auth\.example\/reset-password\?token=[\w-]{43}$/);
    expect(mail.source).not.toContain('evil');
  });

  it.each([
    {},
    { email: null },
    { email: '' },
    { email: ['a@b.test'] },
    { email: 'nobody' },
    { email: 'a@b.test\r\nBcc: c@d.test' },
    { email: 'a@b.test', surplus: 1 },
  ])('refuses %j', async (body) => {
    expect((await ask('POST', '/auth/password/forgot', { body })).body).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  });
});

describe('POST /auth/password/reset', () => {
  it('sets the password, ends every session, and signs nobody in (V-07, F-19)', async () => {
    const { email, user, token } = await forgetful();
    const second = (await logIn(email)).body;
    const answer = await reset({ token, password: wanted });
    expect([answer.status, answer.text]).toEqual([204, '']);
    for (const tokens of [user.tokens, second]) {
      expect((await ask('GET', '/me', { token: tokens.accessToken })).body.code).toBe(
        'session_ended',
      );
      expect(
        (await ask('POST', '/auth/refresh', { body: { refreshToken: tokens.refreshToken } })).body
          .sessionStatus,
      ).toBe('ended');
    }
    expect((await logIn(email)).status).toBe(401);
    expect((await logIn(email, wanted)).status).toBe(200);
    expect((await mailbox.next(email)).subject).toBe('Your password was changed');
  });

  it('takes a token once (F-02)', async () => {
    const { email, token } = await forgetful();
    await reset({ token, password: wanted });
    expect((await reset({ token, password: 'a third long password' })).body).toMatchObject(refused);
    expect((await logIn(email, wanted)).status).toBe(200);
  });

  it('of two at once with one token, one wins, and the other’s password opens nothing (F-04)', async () => {
    for (let round = 0; round < rounds(3, 100); round++) {
      const { email, token } = await forgetful();
      const words = ['the first of the passwords', 'the second of the passwords'];
      const answers = await Promise.all(words.map((word) => reset({ token, password: word })));
      expect(statusesOf(answers)).toEqual([204, 400]);
      const opens = await Promise.all(words.map((word) => logIn(email, word)));
      expect(opens.map(({ status }) => status === 200)).toEqual(
        answers.map(({ status }) => status === 204),
      );
    }
  });

  it('and changing the password at once: exactly one wins', async () => {
    for (let round = 0; round < rounds(3, 100); round++) {
      const { email, user, token } = await forgetful();
      const [byMail, byHand] = await Promise.all([
        reset({ token, password: 'chosen by mail, at last' }),
        user.ask('PUT', '/me/password', {
          body: { currentPassword: password, newPassword: 'chosen by hand, at last' },
        }),
      ]);
      const opens = [
        await logIn(email, 'chosen by mail, at last'),
        await logIn(email, 'chosen by hand, at last'),
      ].map(({ status }) => status);
      expect([byMail.status, byHand.status, ...opens]).toEqual(
        byMail.status === 204 ? [204, 401, 200, 401] : [400, 200, 401, 200],
      );
    }
  });

  it('is void after 15 minutes (F-03), by a newer one (F-11), by a new password, and for another user (F-10)', async () => {
    const [late, twice, changed, gone] = [
      await forgetful(),
      await forgetful(),
      await forgetful(),
      await forgetful(),
    ];
    await forgot(twice.email);
    const newer = (await mailbox.next(twice.email)).secrets['token']!;
    expect((await reset({ token: twice.token, password: wanted })).body).toMatchObject(refused);
    await changed.user.ask('PUT', '/me/password', {
      body: { currentPassword: password, newPassword: wanted },
    });
    expect(
      (await reset({ token: changed.token, password: 'a third long password' })).body,
    ).toMatchObject(refused);
    await User.update({ disabledAt: new Date() }, { where: { id: gone.user.id } });
    expect((await reset({ token: gone.token, password: wanted })).body).toMatchObject(refused);
    expect((await reset({ token: newer, password: wanted, email: late.email })).body.code).toBe(
      'invalid_request',
    );
    wait(901 * SECOND);
    expect((await reset({ token: late.token, password: wanted })).body).toMatchObject(refused);
    vi.useRealTimers();
    expect((await reset({ token: newer, password: wanted })).status).toBe(204);
  });

  it('leaves the token good when the password is too weak', async () => {
    const { token } = await forgetful();
    expect((await reset({ token, password: '12345678' })).body).toMatchObject({
      status: 422,
      code: 'weak_password',
    });
    expect((await reset({ token, password: wanted })).status).toBe(204);
  });

  it.each([
    { token: null },
    { token: '' },
    { token: [] },
    {},
    { token: 'x'.repeat(200) },
    { token: 'x', surplus: 1 },
  ])('refuses %j (F-08)', async (body) => {
    expect((await reset({ password: wanted, ...body })).body).toMatchObject({
      status: 400,
      code: 'invalid_request',
    });
  });
  it('refuses what was never mailed', async () => {
    for (const token of ['x', 'null', 'undefined', '0', 'a'.repeat(43)])
      expect((await reset({ token, password: wanted })).body).toMatchObject(refused);
  });

  it('proves the address; what somebody else had set up for it is gone', async () => {
    const { user, token } = await forgetful();
    await Identity.create({
      id: user.id,
      userId: user.id,
      provider: 'far',
      subject: user.id,
      email: null,
    });
    await user.ask('POST', '/me/api-keys', { body: { name: 'mine' } });
    await reset({ token, password: wanted });
    expect((await User.findByPk(user.id))!.emailVerifiedAt).not.toBeNull();
    expect([
      await Identity.count({ where: { userId: user.id } }),
      await ApiKey.count({ where: { userId: user.id } }),
    ]).toEqual([0, 0]);
  });

  it('leaves the providers of a user whose address was proved before, and no API key', async () => {
    const { user, token } = await forgetful();
    await User.update({ emailVerifiedAt: new Date() }, { where: { id: user.id } });
    await user.ask('POST', '/me/api-keys', { body: { name: 'mine' } });
    await Identity.create({
      id: user.id,
      userId: user.id,
      provider: 'far',
      subject: user.id,
      email: null,
    });
    await reset({ token, password: wanted });
    expect([
      await Identity.count({ where: { userId: user.id } }),
      await ApiKey.count({ where: { userId: user.id } }),
    ]).toEqual([1, 0]);
  });

  it('keeps the token nowhere in the clear (F-13)', async () => {
    const { token } = await forgetful();
    expect(token).toHaveLength(43);
    expect(JSON.stringify(await OneTimeToken.findAll({ raw: true }))).not.toContain(token);
  });
});
