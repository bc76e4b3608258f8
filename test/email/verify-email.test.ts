import { Op } from 'sequelize';
import { describe, expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { statusesOf } from '#test/support/client';
import { DAY, SECOND, wait } from '#test/support/clock';
import { eventually } from '#test/support/eventually';
import { openMailbox } from '#test/support/mailbox';
import { rounds } from '#test/support/rounds';
import { folderOf, providerFile } from '#test/support/strategy-folder';
import { statementsOf } from '#test/support/statements';

const mailbox = await openMailbox();
const { ask, logIn, document, User, OneTimeToken, OutgoingMail } = await startApp({
  ...mailbox.env,
  EMAIL_VERIFICATION: 'required',
  PUBLIC_URL: 'https://auth.example',
  BASIC_AUTH: 'on',
  STRATEGIES_DIR: folderOf({ 'far.mjs': providerFile('far') }),
});
let people = 0;
const address = () => `person${++people}@example.com`;
const register = (email: string, more: object = {}) =>
  ask('POST', '/auth/register', { body: { email, password, ...more } });
/** With the password that whoever signed up has chosen. */
const verify = (body: object) => ask('POST', '/auth/email/verify', { body: { password, ...body } });
const resend = (email: string) => ask('POST', '/auth/email/verify/resend', { body: { email } });
const isVerified = async (email: string) =>
  (await User.count({ where: { emailCanonical: email, emailVerifiedAt: { [Op.ne]: null } } })) ===
  1;
const statements = statementsOf(User.sequelize!);
const count = async (work: () => Promise<unknown>) => {
  const before = statements.length;
  await work();
  return statements.length - before;
};
/** Everything that was queued has arrived. */
const emptied = () => eventually(async () => expect(await OutgoingMail.count()).toBe(0));
const refused = { status: 400, code: 'invalid_code', action: 'sign_in' };
const other = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, '0');

describe('signing in', () => {
  it('is said to wait in OpenAPI', async () => {
    const { paths } = await document();
    for (const path of ['/auth/login', '/auth/far', '/auth/exchange'])
      expect(JSON.stringify(paths?.[path]?.post?.responses?.['403']), path).toContain(
        'email_unverified',
      );
  });

  it('waits for the address: with the right password only, somebody hears why', async () => {
    const email = address();
    await register(email);
    expect((await logIn(email)).body).toMatchObject({
      status: 403,
      code: 'email_unverified',
      action: 'verify_email',
    });
    expect((await logIn(email, 'not the password')).body.code).toBe('invalid_credentials');
    const { secrets } = await mailbox.next(email);
    expect((await verify(secrets)).status).toBe(204);
    const { status, body } = await logIn(email);
    expect([status, body.user.emailVerified]).toEqual([200, true]);
  });
});

describe('signing in with a provider that has not proved the address', () => {
  it('asks its owner to, and waits for it', async () => {
    const email = address();
    const far = () => ask('POST', '/auth/far', { body: { subject: email, email } });
    expect((await far()).body).toMatchObject({ status: 403, code: 'email_unverified' });
    await verify((await mailbox.next(email)).secrets);
    expect((await far()).body.user).toMatchObject({ email, emailVerified: true });
  });
});

it('lets nobody in by Basic who waits for their address, as somebody new or as a user', async () => {
  const email = address();
  await register(email);
  const by = () =>
    ask('GET', '/me', { headers: { authorization: `Basic ${btoa(`${email}:${password}`)}` } });
  expect((await by()).body).toMatchObject({ status: 403, code: 'email_unverified' });
  await verify((await mailbox.next(email)).secrets);
  expect((await by()).status).toBe(200);
  await User.update({ emailVerifiedAt: null }, { where: { emailCanonical: email } });
  for (const answer of [await by(), await logIn(email)])
    expect(answer.body).toMatchObject({ status: 403, code: 'email_unverified' });
});

describe('POST /auth/email/verify', () => {
  async function waiting() {
    const email = address();
    await register(email);
    return { email, ...(await mailbox.next(email)) };
  }

  it('takes the token of the link, once', async () => {
    const { email, link, secrets } = await waiting();
    expect(link).toMatch(/^https:\/\/auth\.example\/confirm-sign-up\?token=[\w-]{43}$/);
    expect((await verify(secrets)).status).toBe(204);
    expect(await isVerified(email)).toBe(true);
    expect((await verify(secrets)).body).toMatchObject(refused);
  });

  it('takes the six digits with the address, once, and then not the link', async () => {
    const { email, code, secrets } = await waiting();
    expect((await verify({ email: email.toUpperCase(), code })).status).toBe(204);
    expect((await verify({ email, code })).body).toMatchObject(refused);
    expect((await verify(secrets)).body).toMatchObject(refused);
  });

  it('takes no code after five wrong ones, also of 20 at once; the link stays good', async () => {
    const [one, many] = [await waiting(), await waiting()];
    for (let i = 0; i < 5; i++)
      expect((await verify({ email: one.email, code: other(one.code) })).body).toMatchObject(
        refused,
      );
    expect((await verify({ email: one.email, code: one.code })).body).toMatchObject(refused);
    await Promise.all(
      Array.from({ length: 20 }, () => verify({ email: many.email, code: other(many.code) })),
    );
    expect(
      (await OneTimeToken.findOne({
        where: { purpose: 'verify e-mail' },
        order: [['createdAt', 'DESC']],
      }))!.attempts,
    ).toBe(5);
    expect((await verify({ email: many.email, code: many.code })).body).toMatchObject(refused);
    for (const { secrets } of [one, many]) expect((await verify(secrets)).status).toBe(204);
  });

  it('takes nobody else’s code', async () => {
    const [one, two] = [await waiting(), await waiting()];
    if (one.code !== two.code)
      expect((await verify({ email: one.email, code: two.code })).body).toMatchObject(refused);
    expect(await isVerified(one.email)).toBe(false);
  });

  it('of 10 with one token or code, one wins', async () => {
    for (let round = 0; round < rounds(2, 100); round++) {
      const { email, code, secrets } = await waiting();
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) => verify(i % 2 ? secrets : { email, code })),
      );
      expect(statusesOf(answers).filter((status) => status === 204)).toHaveLength(1);
    }
  });

  it('takes nothing after a day', async () => {
    const { email, code, secrets } = await waiting();
    wait(DAY + SECOND);
    expect((await verify(secrets)).body).toMatchObject(refused);
    expect((await verify({ email, code })).body).toMatchObject(refused);
    vi.useRealTimers();
  });

  it('costs the same statements whether or not somebody has the address', async () => {
    const { email, code } = await waiting();
    const known = await count(() => verify({ email, code: other(code) }));
    expect(await count(() => verify({ email: address(), code }))).toBe(known);
  });

  it.each([
    {},
    { token: null },
    { token: '' },
    { token: ['x'] },
    { email: 'a@b.test' },
    { code: '123456' },
    { email: 'a@b.test', code: '12345' },
    { email: 'a@b.test', code: 123456 },
    { token: 'x', email: 'a@b.test', code: '123456' },
  ])('refuses %j', async (body) => {
    expect((await verify(body)).body).toMatchObject({ status: 400, code: 'invalid_request' });
  });
});

describe('POST /auth/email/verify/resend', () => {
  it('sends another mail, and the first is void', async () => {
    const email = address();
    await register(email);
    const first = await mailbox.next(email);
    expect((await resend(email)).status).toBe(202);
    const second = await mailbox.next(email);
    expect((await verify(first.secrets)).body).toMatchObject(refused);
    if (first.code !== second.code)
      expect((await verify({ email, code: first.code })).body).toMatchObject(refused);
    expect((await verify(second.secrets)).status).toBe(204);
  });

  it('costs the same statements whether or not somebody waits', async () => {
    const email = address();
    await register(email);
    await mailbox.next(email);
    const waiting = await count(() => resend(email));
    expect(await count(() => resend(address()))).toBe(waiting);
  });

  it('answers the same, and sends nothing, for an address that is confirmed, disabled or unknown', async () => {
    const [confirmed, disabled, unknown] = [address(), address(), address()];
    for (const email of [confirmed, disabled]) {
      await register(email);
      await verify((await mailbox.next(email)).secrets);
    }
    await User.update(
      { disabledAt: new Date(), emailVerifiedAt: null },
      { where: { emailCanonical: disabled } },
    );
    await emptied();
    const before = mailbox.all().length;
    const answers = await Promise.all([confirmed, disabled, unknown].map(resend));
    expect(answers.map(({ status, text }) => [status, text])).toEqual([
      [202, ''],
      [202, ''],
      [202, ''],
    ]);
    const canary = address();
    await register(canary);
    await mailbox.next(canary);
    await emptied();
    expect(mailbox.all().length).toBe(before + 1);
  });
});
