import { describe, expect, it, vi } from 'vitest';
import { examine } from '#src/doctor/examine';
import { sealFactorsAgain } from '#src/factors/totp';
import { issueToken } from '#src/one-time-tokens/one-time-tokens';
import { strategyCodes } from '#src/one-time-tokens/strategy-codes';
import { strategyStore } from '#src/one-time-tokens/strategy-store';
import { RESET, RESTORE, VERIFY } from '#src/user-mail/mail-tokens';
import { password, startApp, testSecret } from '#test/support/app';
import { times } from '#test/support/limited';
import { openMailbox } from '#test/support/mailbox';
import { node } from '#test/support/node';
import { addApp, totpCode } from '#test/support/second-factor';

// A server whose APP_SECRET is lost starts again when its signing keys are deleted (SECURITY.md).
const mailbox = await openMailbox();
const before = await startApp({ ...mailbox.env, EMAIL_CODE: 'on' });
type Member = Awaited<ReturnType<typeof before.register>>;

async function withApp() {
  const me = await before.register();
  return { ...me, ...(await addApp(before.ctx, me)) };
}
const people = {
  ada: await withApp(),
  bob: await withApp(),
  eve: await withApp(),
  two: await withApp(),
  late: await before.register(),
  mail: await before.register({ email: 'mail@example.com' }),
};
const admin = await before.register({}, 'admin');
const { body: begun } = await before.logIn(people.ada.username);
const { body: pending } = await people.late.ask('POST', '/me/factors/totp', { body: {} });
const issued = (purpose: string, data: unknown) =>
  issueToken(before.ctx, purpose, 3600, { userId: people.mail.id, data });
const address = { display: 'mail@example.com', canonical: 'mail@example.com' };
const tokens = {
  reset: await issued(RESET, address.display),
  restore: await issued(RESTORE, { address, verifiedAt: new Date().toISOString() }),
  verify: await issued(VERIFY, { address, code: '123456' }),
};
await strategyStore(before.ctx, 'some').put('key', 'value', 3600);
const codes = await strategyCodes(before.ctx, 'email-code').issue({
  recipient: 'mail@example.com',
  data: { email: 'mail@example.com' },
  ttlSeconds: 600,
});

await before.SigningKey.destroy({ where: {} });
const after = await startApp({
  ...before.env,
  APP_SECRET: testSecret(),
  LIMITS: 'on',
  LIMIT_LOGIN_FAILURES_PAUSE: '15m-15m',
  TRUST_PROXY: '1',
});
const { ask, ctx } = after;
const warned = vi.spyOn(ctx.log, 'warn');
const LOST = 'an authenticator app was encrypted under another APP_SECRET';

let asked = 0;
/** From another network each time. */
const elsewhere = () => ({ 'x-forwarded-for': `198.51.100.${++asked}` });
async function begin({ username }: Member, secret = password) {
  const { status, body, text } = await ask('POST', '/auth/login', {
    body: { identifier: username, password: secret },
    headers: elsewhere(),
  });
  expect([status, body.code], text).toEqual([403, 'mfa_required']);
  return body as { mfaToken: string; factors: string[] };
}
const finish = (mfaToken: string, answer: object) =>
  ask('POST', '/auth/mfa', { body: { mfaToken, ...answer }, headers: elsewhere() });
const unreadable = {
  status: 409,
  body: { code: 'factor_unreadable', action: 'fix_request' },
};
const asMember = (token: string): Pick<Member, 'ask'> => ({
  ask: (method, path, question) => ask(method, path, { token, ...question }),
});

describe('an authenticator app whose secret nobody can read any more', () => {
  it('is not offered, and its codes get an answer that says so', async () => {
    const { mfaToken, factors } = await begin(people.ada);
    expect(factors).toEqual(['recovery_code']);
    warned.mockClear();
    expect(await finish(mfaToken, { code: people.ada.code() })).toMatchObject(unreadable);
    const { id: userId, factorId } = people.ada;
    expect(warned).toHaveBeenCalledWith({ userId, factorId }, LOST);
    expect(JSON.stringify(warned.mock.calls)).not.toContain(people.ada.secret);
  });

  it('gives way to a recovery code, and to another app', async () => {
    const { ada } = people;
    const { mfaToken } = await begin(ada);
    const entered = await finish(mfaToken, { recoveryCode: ada.recoveryCodes[0] });
    expect(entered.status, entered.text).toBe(200);
    const me = asMember(entered.body.accessToken);
    const again = await me.ask('POST', '/auth/reauthenticate', { body: { code: ada.code() } });
    expect(again).toMatchObject(unreadable);
    const fresh = await addApp(ctx, me);
    expect((await me.ask('DELETE', `/me/factors/${ada.factorId}`)).status).toBe(204);
    const next = await begin(ada);
    expect(next.factors).toEqual(['totp', 'recovery_code']);
    expect((await finish(next.mfaToken, { code: fresh.code() })).status).toBe(200);
  });

  it('beside one that can be read is passed over: a wrong code is a wrong code', async () => {
    const { two } = people;
    const entered = await finish((await begin(two)).mfaToken, {
      recoveryCode: two.recoveryCodes[0],
    });
    const fresh = await addApp(ctx, asMember(entered.body.accessToken));
    const { mfaToken, factors } = await begin(two);
    expect(factors).toEqual(['totp', 'recovery_code']);
    const wrong = totpCode(fresh.secret, ctx.clock.now(), 1000);
    const refused = await finish(mfaToken, { code: wrong });
    expect([refused.status, refused.body.code]).toEqual([401, 'invalid_credentials']);
    expect((await finish(mfaToken, { code: fresh.code() })).status).toBe(200);
  });

  it('is no guess: however often it is tried, the account is not locked', async () => {
    const { bob } = people;
    const answers = await times(12, async () =>
      finish((await begin(bob)).mfaToken, { code: bob.code() }),
    );
    for (const answer of answers) expect(answer).toMatchObject(unreadable);
    const [recoveryCode] = bob.recoveryCodes;
    expect((await finish((await begin(bob)).mfaToken, { recoveryCode })).status).toBe(200);
  });

  it('goes when an administrator removes it', async () => {
    const signedIn = await after.logIn(admin.username);
    const { accessToken: token } = signedIn.body;
    const reset = await ask('DELETE', `/admin/users/${people.eve.id}/factors`, { token });
    expect(reset.status, reset.text).toBe(204);
    expect((await after.logIn(people.eve.username)).status).toBe(200);
  });

  it('is not confirmed either', async () => {
    const { body } = await after.logIn(people.late.username);
    const answer = await ask('POST', `/me/factors/totp/${pending.id}/confirm`, {
      token: body.accessToken,
      body: { code: totpCode(pending.secret, ctx.clock.now()) },
    });
    expect(answer).toMatchObject(unreadable);
    await addApp(ctx, asMember(body.accessToken));
  });

  it('is told by doctor, until the server has the secret of before', async () => {
    const secrets = async (more: object = {}) =>
      (await examine({ ...after.env, ...more })).filter(({ check }) => check === 'secrets');
    expect(await secrets()).toMatchObject([
      {
        level: 'warning',
        text: expect.stringMatching(
          /^APP_SECRET does not open the secrets of \d authenticator apps: .*APP_SECRET_PREVIOUS$/,
        ),
      },
    ]);
    const found = await secrets({ APP_SECRET_PREVIOUS: before.env.APP_SECRET });
    expect(found).toMatchObject([
      { level: 'ok', text: expect.stringMatching(/authenticator apps .*APP_SECRET opens them$/) },
    ]);
  });

  it('does not keep the others from being encrypted again', async () => {
    const { id } = (await after.Factor.findOne({ order: [['id', 'DESC']] }))!;
    const sealed = async () => (await after.Factor.findByPk(id))!.secret;
    const current = await sealed();
    const { ctx: moved } = await node({
      ...after.env,
      APP_SECRET: testSecret(),
      APP_SECRET_PREVIOUS: after.env.APP_SECRET,
    });
    await sealFactorsAgain(moved);
    expect(await sealed()).not.toBe(current);
    expect(await after.Factor.count({ where: { id: people.bob.factorId } })).toBe(1);
  });
});

describe('what was sealed under an APP_SECRET that is gone', () => {
  it.each<[what: string, path: string, body: object]>([
    ['a sign-in that waits', '/auth/mfa', { mfaToken: begun.mfaToken, code: '123456' }],
    ['its options', '/auth/mfa/options', { mfaToken: begun.mfaToken }],
    ['a new password', '/auth/password/reset', { token: tokens.reset, password: 'staple battery' }],
    ['an address', '/auth/email/verify', { token: tokens.verify }],
    ['its code', '/auth/email/verify', { email: 'mail@example.com', code: '123456' }],
    ['the address of before', '/auth/email/restore', { token: tokens.restore }],
  ])('is void: %s', async (_what, path, body) => {
    const { status, body: answer } = await ask('POST', path, { body, headers: elsewhere() });
    expect([status, answer.code]).toEqual([400, 'invalid_code']);
  });

  it('is void: a code to sign in with', async () => {
    const { requestToken, code } = codes;
    const body = { requestToken, code };
    const answer = await ask('POST', '/auth/email-code', { body, headers: elsewhere() });
    expect([answer.status, answer.body.code]).toEqual([401, 'invalid_credentials']);
  });

  it('is not there for a strategy', async () => {
    const store = strategyStore(ctx, 'some');
    expect(await store.read('key')).toBeUndefined();
    expect(await store.take('key')).toBeUndefined();
  });
});
