import bcrypt from 'bcrypt';
import { describe, expect, it, vi } from 'vitest';
import { purgeSignUps } from '#src/sign-ups/sign-ups';
import { createUser } from '#src/users/create-user';
import { password, startApp } from '#test/support/app';
import { statusesOf, type Answer } from '#test/support/client';
import { DAY, SECOND, wait } from '#test/support/clock';
import { eventually } from '#test/support/eventually';
import { openMailbox } from '#test/support/mailbox';
import { rounds } from '#test/support/rounds';
import { statementsOf } from '#test/support/statements';

const mailbox = await openMailbox();
const running = await startApp({
  ...mailbox.env,
  EMAIL_VERIFICATION: 'required',
});
const { ctx, ask, logIn, User, SignUp, OneTimeToken, OutgoingMail } = running;

let people = 0;
const address = () => `person${++people}@example.com`;
const register = (email: string, more: object = {}) =>
  ask('POST', '/auth/register', { body: { email, password, ...more } });
const resend = (email: string) => ask('POST', '/auth/email/verify/resend', { body: { email } });
/** Confirms with the usual password, unless another one is given. */
const verify = (body: object) => ask('POST', '/auth/email/verify', { body: { password, ...body } });
const as = (name: string | undefined) =>
  name === undefined ? undefined : { display: name, canonical: name };
/** A user who did not sign up. An address is confirmed. */
const makeUser = async (given: { email?: string; username?: string }, secret = password) =>
  createUser(ctx, {
    email: as(given.email),
    username: as(given.username),
    passwordHash: await ctx.passwords.hash(secret),
    emailVerifiedAt: given.email ? new Date() : null,
  });
/** Waits until every queued mail has arrived. */
const emptied = () => eventually(async () => expect(await OutgoingMail.count()).toBe(0));
const usersWith = (email: string) => User.findAll({ where: { emailCanonical: email } });
/** The confirmed address of a new user. */
async function known(): Promise<string> {
  const email = address();
  await makeUser({ email }, 'the password of its owner');
  return email;
}
const seen = ({ status, text, headers }: Answer) => ({
  status,
  text: text.replace(/"requestId":"[^"]*"/, ''),
  headers: [...headers.keys()].filter((name) => name !== 'date').sort(),
});
const alike = (email: string, text: string) => text.replaceAll(email, '');

describe('a stranger who signs up with an address', () => {
  const theirs = 'what a stranger has chosen';
  /** All that a stranger may try. */
  const tries: Record<string, (email: string) => Promise<Answer>> = {
    'sign up again': (email) => register(email, { password: theirs }),
    'sign in with what they chose': (email) => logIn(email, theirs),
    'sign in by the name they chose': (email) => logIn(nameOf(email), theirs),
    'sign in with something else': (email) => logIn(email, 'something else'),
    'sign in by that name with something else': (email) => logIn(nameOf(email), 'something else'),
    'sign up with that name and another address': (email) =>
      register(address(), { username: nameOf(email), password: theirs }),
    'have the mail sent again': (email) => resend(email),
    'ask for a new password': (email) => ask('POST', '/auth/password/forgot', { body: { email } }),
    'guess at the code': (email) => verify({ email, code: '000000' }),
  };
  const nameOf = (email: string) => `name.${email.split('@')[0]}`;
  const statements = statementsOf(User.sequelize!);

  it.each(Object.keys(tries))(
    'sees no difference between a known and an unknown one: %s',
    async (what) => {
      const outcomes = [];
      for (const email of [await known(), address()]) {
        const answers = [await register(email, { username: nameOf(email), password: theirs })];
        const before = statements.length;
        answers.push(await tries[what]!(email));
        outcomes.push({
          answers: answers.map(seen).map((each) => ({ ...each, text: alike(email, each.text) })),
          count: statements.length - before,
        });
      }
      expect(outcomes[0]).toEqual(outcomes[1]);
      expect(outcomes[0]!.answers[0]).toMatchObject({
        status: 202,
        text: '{"status":"verification_required"}',
      });
    },
  );

  it('is told that it waits for the confirmation, known or not, and hears nothing with another password', async () => {
    for (const email of [await known(), address()]) {
      await register(email, { username: nameOf(email), password: theirs });
      for (const name of [email, nameOf(email)]) {
        expect((await logIn(name, theirs)).body).toMatchObject({
          status: 403,
          code: 'email_unverified',
          action: 'verify_email',
        });
        expect((await logIn(name, password)).body.code).toBe('invalid_credentials');
      }
    }
  });

  it('costs two hashes with each sign-in that fails, known or not', async () => {
    const compare = vi.spyOn(bcrypt, 'compare');
    for (const email of [await known(), address()]) {
      for (const signedUp of [false, true]) {
        if (signedUp) await register(email, { password: theirs });
        compare.mockClear();
        await logIn(email, theirs);
        expect(compare, `${email} ${signedUp}`).toHaveBeenCalledTimes(2);
      }
    }
    compare.mockRestore();
  });

  it('changes nothing for its owner, who gets a notice', async () => {
    const email = await known();
    await register(email.toUpperCase(), { password: theirs });
    const notice = await mailbox.next(email);
    expect([notice.subject, notice.code, notice.secrets]).toEqual([
      'You are registered already',
      '',
      {},
    ]);
    expect((await logIn(email, 'the password of its owner')).status).toBe(200);
    expect(await usersWith(email)).toHaveLength(1);
  });

  it('gets no proof of it sent to its owner', async () => {
    const [email, canary] = [await known(), address()];
    await register(email);
    await mailbox.next(email);
    await emptied();
    const before = mailbox.all().length;
    await resend(email);
    await register(canary);
    await mailbox.next(canary);
    await emptied();
    expect(mailbox.all()).toHaveLength(before + 1);
  });

  it('writes to nobody whose user is disabled', async () => {
    const [email, canary] = [await known(), address()];
    await User.update({ disabledAt: new Date() }, { where: { emailCanonical: email } });
    await emptied();
    const before = mailbox.all().length;
    expect((await register(email)).status).toBe(202);
    await register(canary);
    await mailbox.next(canary);
    await emptied();
    expect(mailbox.all()).toHaveLength(before + 1);
  });

  it('takes neither the address nor the username from its owner', async () => {
    const email = address();
    await register(email, { username: nameOf(email), password: theirs });
    const stranger = await mailbox.next(email);
    await register(email, { username: nameOf(email) });
    const owner = await mailbox.next(email);
    expect((await verify(owner.secrets)).status).toBe(204);
    expect((await logIn(email)).body.user).toMatchObject({
      email,
      username: nameOf(email),
      emailVerified: true,
    });
    expect((await logIn(email, theirs)).status).toBe(401);
    expect((await verify(stranger.secrets)).body).toMatchObject({
      status: 400,
      code: 'invalid_code',
    });
    expect(await usersWith(email)).toHaveLength(1);
  });
});

describe('who confirms a sign-up', () => {
  const theirs = 'what a stranger has chosen';
  const bare = (body: object) => ask('POST', '/auth/email/verify', { body });

  it('gives its password: the one of a stranger who signed up later lets nobody in', async () => {
    const email = address();
    await register(email, { username: `own${people}` });
    await mailbox.next(email);
    await register(email, { username: `stranger${people}`, password: theirs });
    const newest = await mailbox.next(email);
    for (const body of [newest.secrets, { email, code: newest.code }])
      expect((await bare(body)).body).toMatchObject({
        status: 400,
        code: 'invalid_request',
        errors: [{ pointer: '/password', code: 'required' }],
      });
    expect(await usersWith(email)).toEqual([]);
    expect((await verify(newest.secrets)).status).toBe(204);
    expect((await logIn(email, theirs)).status).toBe(401);
    expect((await logIn(email)).status).toBe(200);
  });

  it('may choose another password, as good as any other', async () => {
    const email = address();
    await register(email);
    const { secrets, code } = await mailbox.next(email);
    for (const weak of ['12345678', email, `${email.split('@')[0]}1987`])
      for (const body of [secrets, { email, code }])
        expect((await verify({ ...body, password: weak })).body.code).toBe('weak_password');
    expect((await verify({ email, code, password: 'quiet river stones' })).status).toBe(204);
    expect((await logIn(email, 'quiet river stones')).status).toBe(200);
    expect((await logIn(email)).status).toBe(401);
    expect((await verify(secrets)).body.code).toBe('invalid_code');
  });

  it('loses neither link nor digits by mistakes with the password, and guesses no code by them', async () => {
    const email = address();
    await register(email);
    const { secrets, code } = await mailbox.next(email);
    for (let i = 0; i < 7; i++) expect((await bare({ email, code })).status).toBe(400);
    const wrong = code === '000000' ? '000001' : '000000';
    for (let i = 0; i < 5; i++)
      expect((await verify({ email, code: wrong })).body.code).toBe('invalid_code');
    expect((await verify({ email, code })).body.code).toBe('invalid_code');
    expect((await verify(secrets)).status).toBe(204);
  });

  it('hears the same of a wrong code with and without a password, known address or not', async () => {
    const answers = [];
    for (const email of [await known(), address()]) {
      await register(email);
      for (const more of [{}, { password }, { password: '12345678' }])
        answers.push(seen(await bare({ email, code: '000000', ...more })));
    }
    expect(new Set(answers.map((each) => JSON.stringify(each))).size).toBe(1);
    expect(answers[0]!.text).toContain('invalid_code');
  });

  it('does it on the page that the mail leads to', async () => {
    const email = address();
    await register(email, { password: theirs });
    const { link, secrets } = await mailbox.next(email);
    expect(new URL(link).pathname).toBe('/confirm-sign-up');
    const page = running.url + new URL(link).pathname;
    const form = await (await fetch(`${page}?token=${secrets['token']}`)).text();
    expect(form).toContain('name="password"');
    const send = (fields: Record<string, string>) =>
      fetch(page, { method: 'POST', body: new URLSearchParams({ ...secrets, ...fields }) });
    expect((await send({})).status).toBe(400);
    expect((await send({ password: '12345678' })).status).toBe(422);
    expect((await send({ password })).status).toBe(200);
    expect((await logIn(email)).status).toBe(200);
    expect((await logIn(email, theirs)).status).toBe(401);
  });
});

describe('POST /auth/register, when addresses must be confirmed', () => {
  it('makes no user before, and afterwards one with the names they gave', async () => {
    const email = address();
    await register(email, { username: `Name${people}`, name: 'Ada' });
    expect(await usersWith(email)).toEqual([]);
    expect((await verify((await mailbox.next(email)).secrets)).status).toBe(204);
    expect((await logIn(email)).body.user).toMatchObject({
      username: `Name${people}`,
      name: 'Ada',
      email,
      roles: ['user'],
    });
    expect(await SignUp.count({ where: { emailCanonical: email } })).toBe(0);
  });

  it('asks for an address, and for a good password, before anything is said', async () => {
    expect(
      (await ask('POST', '/auth/register', { body: { username: 'nomail', password } })).body,
    ).toMatchObject({
      status: 400,
      errors: [{ pointer: '/email', code: 'required' }],
    });
    for (const email of [await known(), address()])
      expect((await register(email, { password: '12345678' })).status).toBe(422);
  });

  it('tells that a username is taken, known address or not', async () => {
    const username = `taken${people}`;
    await makeUser({ username });
    for (const email of [await known(), address()])
      expect((await register(email, { username })).body).toMatchObject({
        status: 409,
        code: 'username_taken',
      });
  });

  it('leaves a username out that somebody else has taken before the confirmation', async () => {
    const [email, username] = [address(), `late${people}`];
    await register(email, { username });
    const { secrets } = await mailbox.next(email);
    await makeUser({ username });
    expect((await verify(secrets)).status).toBe(204);
    expect((await logIn(email)).body.user).toMatchObject({ email, username: null });
  });

  it('makes nobody of an address that somebody else has confirmed before', async () => {
    const email = address();
    await register(email);
    const { secrets } = await mailbox.next(email);
    await makeUser({ email }, 'another long password');
    expect((await verify(secrets)).body).toMatchObject({ status: 409, code: 'email_taken' });
    expect(await usersWith(email)).toHaveLength(1);
    expect((await logIn(email, 'another long password')).status).toBe(200);
  });

  it('makes one user of several sign-ups that are confirmed at once', async () => {
    for (let round = 0; round < rounds(3, 100); round++) {
      const email = address();
      const chosen = ['the first password', 'the second password'];
      const links = [];
      for (const each of chosen) {
        await register(email, { password: each });
        links.push({ ...(await mailbox.next(email)).secrets, password: each });
      }
      const answers = await Promise.all([...links, ...links].map(verify));
      expect(statusesOf(answers).filter((status) => status === 204)).toHaveLength(1);
      expect(await usersWith(email)).toHaveLength(1);
      const ins = await Promise.all(chosen.map((each) => logIn(email, each)));
      expect(statusesOf(ins)).toEqual([200, 401]);
    }
  });

  it('takes the six digits and the link of each of several mails', async () => {
    const [email, another] = [address(), address()];
    const mails = [];
    for (const to of [email, email, email, another, another]) {
      await register(to);
      mails.push(await mailbox.next(to));
    }
    expect((await verify({ email, code: mails[1]!.code })).status).toBe(204);
    expect((await verify(mails[3]!.secrets)).status).toBe(204);
  });

  it('leaves the username out of one of two who confirm it at once', async () => {
    for (let round = 0; round < rounds(3, 50); round++) {
      const pair = [address(), address()];
      const answers: object[] = [];
      for (const email of pair) {
        await register(email, { username: `both.${round}` });
        const { secrets, code } = await mailbox.next(email);
        answers.push(round % 2 ? secrets : { email, code });
      }
      expect(statusesOf(await Promise.all(answers.map(verify)))).toEqual([204, 204]);
      const names = await Promise.all(
        pair.map(async (email) => (await usersWith(email))[0]!.username),
      );
      expect(names.filter((name) => name !== null)).toHaveLength(1);
    }
  });

  it('waits for another day when the mail is sent again', async () => {
    const [email, taken] = [address(), await known()];
    for (const to of [email, taken]) await register(to);
    await mailbox.next(email);
    wait(DAY - SECOND);
    for (const to of [email, taken]) await resend(to);
    const { secrets } = await mailbox.next(email);
    wait(DAY - SECOND);
    await purgeSignUps(ctx);
    for (const name of [email, taken])
      expect((await logIn(name)).body.code).toBe('email_unverified'); // a known address looks the same
    expect((await verify(secrets)).status).toBe(204);
    vi.useRealTimers();
  });

  it('keeps who signed up for a day', async () => {
    const [email, canary] = [address(), address()];
    await register(email);
    const { secrets } = await mailbox.next(email);
    wait(DAY + SECOND);
    expect((await verify(secrets)).body.code).toBe('invalid_code');
    expect((await logIn(email)).body.code).toBe('invalid_credentials');
    await register(canary);
    await purgeSignUps(ctx);
    expect(await SignUp.count({ where: { emailCanonical: email } })).toBe(0);
    expect(await SignUp.count({ where: { emailCanonical: canary } })).toBe(1);
    vi.useRealTimers();
  });
});

it('forgets sign-ups with the address of a user who deletes themselves', async () => {
  const email = await known();
  await register(email);
  const { accessToken } = (await logIn(email, 'the password of its owner')).body;
  const headers = { authorization: `Bearer ${accessToken}` };
  expect(
    (await ask('DELETE', '/me', { headers, body: { password: 'the password of its owner' } }))
      .status,
  ).toBe(204);
  expect(await SignUp.count({ where: { emailCanonical: email } })).toBe(0);
});

it('keeps no token and no code where a thief of the database could read them', async () => {
  const email = address();
  await register(email);
  const { secrets, code } = await mailbox.next(email);
  const rows = JSON.stringify([
    await OneTimeToken.findAll({ raw: true }),
    await SignUp.findAll({ raw: true }),
  ]);
  expect(rows).not.toContain(secrets['token']);
  expect(rows).not.toMatch(new RegExp(`(?<![\\da-f])${code}(?![\\da-f])`)); // six digits stand in a digest by chance
  expect(rows).not.toContain(password);
});
