import { afterEach, describe, expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { wait } from '#test/support/clock';
import { emailCodes, wrong } from '#test/support/email-code';
import { eventually } from '#test/support/eventually';
import { startLimited, statuses, times } from '#test/support/limited';
import { openMailbox } from '#test/support/mailbox';
import { statementsOf } from '#test/support/statements';

const mailbox = await openMailbox();
const app = await startLimited({
  ...mailbox.env,
  EMAIL_CODE: 'on',
  EMAIL_VERIFICATION: 'optional',
  REDIRECT_URIS: 'https://app.example.com/in',
});
const { ask, from, logIn, member, unused, OutgoingMail, User } = app;
const { request, signIn, asked } = emailCodes(ask, mailbox);
let people = 0;
const address = () => `addressee${++people}@example.com`;
const elsewhere = () => from(unused()).headers;

afterEach(() => {
  vi.useRealTimers();
});

/** Somebody whose address is confirmed, and the network that they signed up from. */
async function confirmed(email = address()) {
  const user = await member({ email });
  await mailbox.next(email);
  await User.update({ emailVerifiedAt: new Date() }, { where: { id: user.id } });
  return { ...user, email };
}
/** All mails that were queued so far have arrived, or never will. */
const delivered = () => eventually(async () => expect(await OutgoingMail.count()).toBe(0));

describe('a request (E-06)', () => {
  /** One address of each kind. */
  async function kinds() {
    const [disabled, unconfirmed] = [await confirmed(), address()];
    await User.update({ disabledAt: new Date() }, { where: { id: disabled.id } });
    await member({ email: unconfirmed });
    await mailbox.next(unconfirmed);
    return {
      known: (await confirmed()).email,
      unknown: address(),
      disabled: disabled.email,
      unconfirmed,
    };
  }

  it('gets the same answer for every address, and mails whoever may come in', async () => {
    const { disabled, ...others } = await kinds();
    for (const email of [disabled, ...Object.values(others)]) {
      const { status, body } = await request(email, {}, elsewhere());
      expect([status, Object.keys(body)]).toEqual([202, ['requestToken']]);
      expect(body.requestToken).toMatch(/^[\w-]{64}$/);
    }
    for (const email of Object.values(others))
      expect((await mailbox.next(email)).subject).toBe('Your code to sign in');
    await delivered();
    expect(mailbox.all(disabled).map(({ subject }) => subject)).not.toContain(
      'Your code to sign in',
    );
  });

  it('runs the same statements for every address, and so does a wrong code', async () => {
    const byTimers =
      /signing_keys|^(UPDATE|DELETE FROM|SELECT)[^(]*outgoing_mails|^(BEGIN|START|COMMIT|SET)/;
    const statements = statementsOf(
      User.sequelize!,
      (sql) => !byTimers.test(sql.replace(/^.*?: /, '')),
    );
    const during = async <T>(work: () => Promise<T>) => {
      await delivered();
      statements.length = 0;
      const answer = await work();
      return { answer, said: statements.map((sql) => sql.slice(0, 60)) };
    };
    const told = [];
    for (const email of Object.values(await kinds())) {
      const asking = await during(() => request(email, {}, elsewhere()));
      const { requestToken } = asking.answer.body;
      const guessing = await during(() => signIn(requestToken, '123456', elsewhere()));
      told.push([asking.said, guessing.said]);
    }
    const [first, ...rest] = told;
    expect(first![0]!.length).toBeGreaterThanOrEqual(4);
    expect(first![0]!.join()).toMatch(/u\.username.*one_time_tokens.*outgoing_mails/);
    for (const each of rest) expect(each).toEqual(first);
  });

  it('greets nobody by name: whoever asked may be a stranger', async () => {
    const email = address();
    await member({ email, name: 'You have won a prize' });
    await mailbox.next(email);
    expect((await asked(email, {}, elsewhere())).mail.text).toMatch(/^Hello,\n/);
  });
});

describe('with SIGNUP=closed', async () => {
  const closed = await startApp({ ...mailbox.env, EMAIL_CODE: 'on', SIGNUP: 'closed' });
  const codes = emailCodes(closed.ask, mailbox);

  it('an unknown address gets the same answer and no mail, and a known one signs in', async () => {
    const [known, unknown] = [address(), address()];
    await closed.auth.users.create({ email: known, password, emailVerified: true });
    const answer = await codes.request(unknown);
    expect([answer.status, Object.keys(answer.body)]).toEqual([202, ['requestToken']]);
    expect((await codes.enter(known)).status).toBe(200);
    await eventually(async () => expect(await closed.OutgoingMail.count()).toBe(0));
    expect(mailbox.all(unknown)).toEqual([]);
  });

  it('a code that was sent before sign-ups were closed makes no user', async () => {
    const email = address();
    const { codes: kit } = closed.ctx.strategies.contexts.get('email-code')!;
    const data = { email };
    const { requestToken, code } = await kit.issue({ recipient: email, data, ttlSeconds: 60 });
    expect(await codes.signIn(requestToken, code)).toMatchObject({
      status: 403,
      body: { code: 'signup_closed' },
    });
    expect(await closed.User.count({ where: { emailCanonical: email } })).toBe(0);
  });
});

describe('with EMAIL_VERIFICATION=required', async () => {
  const strict = await startApp({
    ...mailbox.env,
    EMAIL_CODE: 'on',
    EMAIL_VERIFICATION: 'required',
  });
  const codes = emailCodes(strict.ask, mailbox);

  it('a stranger’s sign-up with the address is void when its owner comes', async () => {
    const email = address();
    const body = { email, password };
    expect((await strict.ask('POST', '/auth/register', { body })).status).toBe(202);
    const { secrets } = await mailbox.next(email);
    const entered = await codes.enter(email);
    expect([entered.status, entered.body.user.emailVerified]).toEqual([200, true]);
    const confirm = { token: secrets['token'], password };
    expect((await strict.ask('POST', '/auth/email/verify', { body: confirm })).status).toBe(400);
    expect((await strict.logIn(email)).status).toBe(401);
    expect(await strict.SignUp.count()).toBe(0);
  });

  it('a user who has not confirmed the address comes in by proving it', async () => {
    const email = address();
    await strict.auth.users.create({ email, password });
    await mailbox.next(email);
    expect((await strict.logIn(email)).body.code).toBe('email_unverified');
    expect((await codes.enter(email)).body.user.emailVerified).toBe(true);
  });
});

describe('limits (E-05)', () => {
  it('20 requests bring an address five mails, and the same answer each time', async () => {
    wait(0);
    const { ip, email, username } = await confirmed();
    const before = mailbox.all(email).length;
    const answers = await times(20, () => request(email, {}, elsewhere()));
    expect(statuses(answers)).toEqual([202]);
    for (const { body } of answers) expect(body.requestToken).toMatch(/^[\w-]{64}$/);
    await delivered();
    expect(before + 4).toBe(mailbox.all(email).length); // that of the sign-up counts
    expect((await logIn(unused(), username, password)).status).toBe(200);
    expect((await logIn(ip, email, password)).status).toBe(200);
  });

  it('an asking too many leaves the last code good', async () => {
    wait(0);
    const email = address();
    for (let i = 0; i < 4; i++) await asked(email, {}, elsewhere());
    const { requestToken, code } = await asked(email, {}, elsewhere());
    const { body } = await request(email, {}, elsewhere());
    expect((await signIn(body.requestToken, code, elsewhere())).status).toBe(401);
    expect((await signIn(requestToken, code, elsewhere())).status).toBe(200);
  });

  it('one network may ask twenty times an hour, and still sign in', async () => {
    wait(0);
    const ip = unused();
    const answers = await times(20, () => request(address(), {}, from(ip).headers));
    expect(statuses(answers)).toEqual([202]);
    const refused = await request(address(), {}, from(ip).headers);
    expect([refused.status, refused.headers.get('ratelimit-policy')]).toEqual([
      429,
      expect.stringContaining('email-code request'),
    ]);
    const { requestToken, code } = await asked(address(), {}, elsewhere());
    expect((await signIn(requestToken, code, from(ip).headers)).status).toBe(200);
  });

  it('wrong codes count as failed sign-ins of the account, and keep its owner at home in', async () => {
    wait(0);
    const { ip, email, username } = await confirmed();
    for (let i = 0; i < 2; i++) {
      const { requestToken, code } = await asked(email, {}, elsewhere());
      await times(5, () => signIn(requestToken, wrong(code), elsewhere()));
    }
    expect((await logIn(unused(), username, password)).status).toBe(401);
    const locked = await asked(email, {}, elsewhere());
    expect((await signIn(locked.requestToken, locked.code, elsewhere())).status).toBe(401);
    expect((await signIn(locked.requestToken, locked.code, from(ip).headers)).status).toBe(200);
    expect((await logIn(ip, username, password)).status).toBe(200);
  });

  it('a right code takes the failures of the account back', async () => {
    wait(0);
    const { email, username } = await confirmed();
    await times(9, () => logIn(unused(), username));
    const { requestToken, code } = await asked(email, {}, elsewhere());
    expect((await signIn(requestToken, code, elsewhere())).status).toBe(200);
    await times(9, () => logIn(unused(), username));
    expect((await logIn(unused(), username, password)).status).toBe(200);
  });

  it('requests for codes are no failed sign-ins', async () => {
    wait(0);
    const { email, username } = await confirmed();
    await times(15, () => request(email, {}, elsewhere()));
    expect((await logIn(unused(), username, password)).status).toBe(200);
  });
});
