import { afterEach, describe, expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { statusesOf } from '#test/support/client';
import { SECOND, wait } from '#test/support/clock';
import { emailCodes, wrong } from '#test/support/email-code';
import { openMailbox } from '#test/support/mailbox';
import { rounds } from '#test/support/rounds';
import { addApp } from '#test/support/second-factor';

const mailbox = await openMailbox();
const app = await startApp({ ...mailbox.env, EMAIL_CODE: 'on', API_KEYS: 'on' });
const { ask, ctx, document, register, logIn, ApiKey, Identity, OneTimeToken, Session, User } = app;
const { request, signIn, asked, enter } = emailCodes(ask, mailbox);
const refused = { status: 401, body: { code: 'invalid_credentials' } };
let people = 0;
const address = () => `coded${++people}@example.com`;
const find = (email: string) => User.findOne({ where: { emailCanonical: email } });

afterEach(() => {
  vi.useRealTimers();
});

describe('a code by mail', () => {
  it('signs in, once, and says how', async () => {
    const email = address();
    const { id } = await register({ email });
    await User.update({ emailVerifiedAt: new Date() }, { where: { id } });
    const { requestToken, code } = await asked(email.toUpperCase());
    const device = { kind: 'mobile', name: 'Ada’s phone' };
    const first = await ask('POST', '/auth/email-code', { body: { requestToken, code, device } });
    expect(first.status, first.text).toBe(200);
    expect(first.body).toMatchObject({
      tokenType: 'Bearer',
      session: { strategy: 'email-code', amr: ['email'], acr: 'aal1' },
      user: { id, email, emailVerified: true, roles: ['user'] },
    });
    expect(await signIn(requestToken, code)).toMatchObject(refused);
    expect((await logIn(email)).status).toBe(200); // the password stays
  });

  it('works once of twenty times at once', async () => {
    for (let round = 0; round < rounds(2, 30); round++) {
      const { requestToken, code } = await asked(address());
      const before = await Session.count();
      const answers = await Promise.all(
        Array.from({ length: 20 }, () => signIn(requestToken, code)),
      );
      expect(statusesOf(answers)).toEqual([200, ...Array.from({ length: 19 }, () => 401)]);
      expect(await Session.count()).toBe(before + 1);
    }
  });

  it('makes a user whose address is confirmed of an address that nobody has', async () => {
    const email = address();
    const { status, body } = await enter(email);
    expect([status, body.user]).toEqual([
      200,
      expect.objectContaining({ username: null, email, emailVerified: true, roles: ['user'] }),
    ]);
    expect((await enter(email)).body.user.id).toBe(body.user.id);
    expect((await find(email))!.passwordHash).toBeNull();
    expect(await Identity.count({ where: { userId: body.user.id } })).toBe(0);
  });

  it('of many keeps the zeros at its beginning', async () => {
    const { codes } = ctx.strategies.contexts.get('email-code')!;
    for (;;) {
      const issued = await codes.issue({ recipient: address(), ttlSeconds: 60 });
      expect(issued.code).toMatch(/^\d{6}$/);
      if (!issued.code.startsWith('0')) continue;
      const short = String(Number(issued.code));
      expect((await signIn(issued.requestToken, short)).status).toBe(400);
      expect(await codes.redeem(issued.requestToken, issued.code)).toBeDefined();
      return;
    }
  });

  it('is good for ten minutes', async () => {
    wait(0);
    const [inTime, late] = [await asked(address()), await asked(address())];
    wait(599 * SECOND);
    expect((await signIn(inTime.requestToken, inTime.code)).status).toBe(200);
    wait(2 * SECOND);
    expect(await signIn(late.requestToken, late.code)).toMatchObject(refused);
  });

  it('stands nowhere in the clear, nor does its request', async () => {
    const email = address();
    const { requestToken, code } = await asked(email);
    const rows = JSON.stringify(await OneTimeToken.findAll({ raw: true }));
    for (const secret of [email, `"${code}"`, requestToken]) expect(rows).not.toContain(secret);
  });

  it('is void after what voids mailed links, such as a new password', async () => {
    const email = address();
    const user = await register({ email });
    const { requestToken, code } = await asked(email);
    const body = { currentPassword: password, newPassword: 'another long password' };
    expect((await user.ask('PUT', '/me/password', { body })).status).toBe(200);
    expect(await signIn(requestToken, code)).toMatchObject(refused);
  });

  it('is void when its user was deleted: nobody is made of it', async () => {
    const email = address();
    const user = await register({ email });
    const { requestToken, code } = await asked(email);
    const gone = await user.ask('DELETE', '/me', { body: { password } });
    expect(gone.status, gone.text).toBe(204);
    expect(await signIn(requestToken, code)).toMatchObject(refused);
    expect(await find(email)).toBeNull();
  });

  it('stands in the OpenAPI document, in the list of strategies, and not among the providers', async () => {
    const { paths } = await document();
    expect(paths!['/auth/email-code/request']!.post!.operationId).toBe('emailCodeRequest');
    expect(JSON.stringify(paths!['/auth/email-code']!.post)).toContain('signup_closed');
    const { body } = await ask('GET', '/auth/strategies');
    expect(body).toContainEqual(expect.objectContaining({ name: 'email-code', kind: 'login' }));
    expect(paths!['/me/identities/email-code']).toBeUndefined();
  });
});

describe('a user with a second factor', () => {
  it('is asked for it after the code', async () => {
    const email = address();
    const user = await register({ email });
    await User.update({ emailVerifiedAt: new Date() }, { where: { id: user.id } });
    const { code: fresh } = await addApp(ctx, user);
    await mailbox.next(email); // the notice
    const begun = await enter(email);
    expect(begun).toMatchObject({ status: 403, body: { code: 'mfa_required' } });
    const body = { mfaToken: begun.body.mfaToken, code: fresh() };
    const finished = await ask('POST', '/auth/mfa', { body });
    expect(finished.status, finished.text).toBe(200);
    expect(finished.body.session).toMatchObject({ strategy: 'email-code', acr: 'aal2' });
    expect(finished.body.session.amr).toContain('email');
  });
});

describe('a code without its request (E-01)', () => {
  it.each([
    ['no request', {}],
    ['none at all', { requestToken: null }],
    ['a list', { requestToken: ['a'] }],
    ['a surplus field', { requestToken: 'a', email: 'ada@example.com' }],
  ])('is refused with %s', async (_what, given) => {
    const { code } = await asked(address());
    const answer = await ask('POST', '/auth/email-code', { body: { code, ...given } });
    expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
  });

  it.each(['12345', '1234567', '12345a', '１２３４５６', ' 123456', 123_456, ['123456'], null])(
    'is refused as %j, which is no code',
    async (code) => {
      const { requestToken } = await asked(address());
      const answer = await ask('POST', '/auth/email-code', { body: { requestToken, code } });
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
    },
  );

  it('is refused with an invented request, one of another strategy, or one that was changed', async () => {
    const email = address();
    const { requestToken, code } = await asked(email);
    const bytes = Buffer.from(requestToken, 'base64url');
    const changed = Buffer.concat([Buffer.alloc(16), bytes.subarray(16)]).toString('base64url');
    for (const token of ['x', changed, `${requestToken}=`, requestToken.slice(1), 'A'.repeat(64)])
      expect(await signIn(token, code), token).toMatchObject(refused);
    expect((await signIn(requestToken, code)).status).toBe(200);
  });

  it('is refused with the request of somebody else, and both stay good', async () => {
    const [ada, bob] = [await asked(address()), await asked(address())];
    if (ada.code !== bob.code)
      expect(await signIn(bob.requestToken, ada.code)).toMatchObject(refused);
    expect((await signIn(ada.requestToken, ada.code)).status).toBe(200);
    expect((await signIn(bob.requestToken, bob.code)).status).toBe(200);
  });

  it('five wrong guesses end the request, four do not', async () => {
    const [four, five] = [await asked(address()), await asked(address())];
    for (let i = 0; i < 4; i++) {
      expect(await signIn(four.requestToken, wrong(four.code))).toMatchObject(refused);
      expect(await signIn(five.requestToken, wrong(five.code))).toMatchObject(refused);
    }
    expect((await signIn(four.requestToken, four.code)).status).toBe(200);
    await signIn(five.requestToken, wrong(five.code));
    expect(await signIn(five.requestToken, five.code)).toMatchObject(refused);
  });

  it('twenty wrong guesses at once count as five', async () => {
    const email = address();
    const { requestToken, code } = await asked(email);
    const guesses = Array.from({ length: 20 }, () => signIn(requestToken, wrong(code)));
    expect(statusesOf(await Promise.all(guesses))).toEqual(Array(20).fill(401));
    const [row] = await OneTimeToken.findAll({
      where: { purpose: 'strategy code' },
      order: [['createdAt', 'DESC']],
    });
    expect(row!.attempts).toBe(5);
    expect(await signIn(requestToken, code)).toMatchObject(refused);
    expect((await enter(email)).status).toBe(200);
  });
});

describe('a newer request (E-02)', () => {
  it('voids the older of the same address, however it is spelt, and no other', async () => {
    const email = address();
    const older = await asked(email);
    const other = await asked(address());
    const newer = await asked(email.replace('coded', 'CODED'));
    expect(await signIn(older.requestToken, older.code)).toMatchObject(refused);
    if (older.code !== newer.code)
      expect(await signIn(older.requestToken, newer.code)).toMatchObject(refused);
    expect((await signIn(newer.requestToken, newer.code)).status).toBe(200);
    expect((await signIn(other.requestToken, other.code)).status).toBe(200);
  });

  it('of ten at once leaves one good', async () => {
    const email = address();
    const requests = await Promise.all(Array.from({ length: 10 }, () => request(email)));
    const mails = [];
    for (const _each of requests) mails.push(await mailbox.next(email));
    let entered = 0;
    for (const { body } of requests) {
      const { codes } = ctx.strategies.contexts.get('email-code')!;
      if (!(await codes.find(body.requestToken))) continue;
      for (const { code } of mails)
        if ((await signIn(body.requestToken, code)).status === 200) entered++;
    }
    expect(entered).toBeLessThanOrEqual(1);
    const where = { purpose: 'strategy code', userId: null };
    expect(await OneTimeToken.count({ where })).toBeLessThanOrEqual(200);
  });
});

describe('somebody who signed up with the address before its owner', () => {
  it('keeps no way in, and leaves the owner none of theirs', async () => {
    const email = address();
    const stranger = await register({ email, name: 'Not Ada' });
    const key = (await stranger.ask('POST', '/me/api-keys', { body: { name: 'mine' } })).body.key;
    const { status, body } = await enter(email);
    expect([status, body.user]).toEqual([
      200,
      expect.objectContaining({ id: stranger.id, emailVerified: true, name: null }),
    ]);
    expect((await stranger.ask('GET', '/me')).body.code).toBe('session_ended');
    expect((await logIn(email)).status).toBe(401);
    expect(await ApiKey.count({ where: { userId: stranger.id } })).toBe(0);
    expect((await ask('GET', '/me', { headers: { 'x-api-key': key } })).status).toBe(401);
    const { refreshToken } = stranger.tokens;
    expect((await ask('POST', '/auth/refresh', { body: { refreshToken } })).status).toBe(400);
    expect((await ask('GET', '/me', { token: body.accessToken })).status).toBe(200);
  });

  it('is not given away with more roles than `user`', async () => {
    const email = address();
    const editor = await register({ email }, 'moderator');
    expect(await enter(email)).toMatchObject({ status: 409, body: { code: 'already_linked' } });
    expect((await find(email))!.emailVerifiedAt).toBeNull();
    expect((await editor.ask('GET', '/me')).status).toBe(200);
  });

  it('a disabled user is refused, and stays as they are', async () => {
    const email = address();
    const { id } = await register({ email });
    const { requestToken, code } = await asked(email);
    await User.update({ disabledAt: new Date() }, { where: { id } });
    expect(await signIn(requestToken, code)).toMatchObject(refused);
    const user = (await find(email))!;
    expect([user.emailVerifiedAt, user.passwordHash]).toEqual([null, expect.any(String)]);
  });
});
