import { afterEach, describe, expect, it, vi } from 'vitest';
import { password } from '#test/support/app';
import { statusesOf } from '#test/support/client';
import { wait } from '#test/support/clock';
import { emailCodes } from '#test/support/email-code';
import { eventually } from '#test/support/eventually';
import { startLimited, times } from '#test/support/limited';
import { openMailbox } from '#test/support/mailbox';
import { addApp } from '#test/support/second-factor';

const mailbox = await openMailbox();
const app = await startLimited({
  ...mailbox.env,
  NOTIFY_NEW_SIGN_IN: 'on',
  EMAIL_CODE: 'on',
  PUBLIC_URL: 'https://auth.example',
});
const { ask, auth, ctx, url, unused, OneTimeToken, OutgoingMail, Session, User } = app;

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0';
const NEWER_FIREFOX = FIREFOX.replaceAll('130.0', '142.0');
const SAFARI =
  'Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1';

/** What was announced, and not asked for yet. */
const announced: { userId: string; sessionId: string; strategy: string; ip: string | null }[] = [];
auth.on('session.new_device', (event) => void announced.push(event));
const news = () => announced.splice(0);
afterEach(() => {
  vi.useRealTimers();
  news();
});

let people = 0;
/** Somebody whose address is confirmed, and who signed up with Firefox. */
async function owner({ confirmed = true } = {}) {
  const email = `new-device${++people}@example.com`;
  const ip = unused();
  const from = (address: string, agent: string, more = {}) => ({
    headers: { 'x-forwarded-for': address, 'user-agent': agent },
    ...more,
  });
  const { status, body, text } = await ask('POST', '/auth/register', {
    ...from(ip, FIREFOX),
    body: { email, password, name: 'Ada Lovelace' },
  });
  expect(status, text).toBe(201);
  const id = body.user.id as string;
  if (confirmed) await User.update({ emailVerifiedAt: new Date() }, { where: { id } });
  const signIn = async (address = unused(), agent = SAFARI, device?: object) => {
    const answer = await ask('POST', '/auth/login', {
      ...from(address, agent),
      body: { email, password, ...(device && { device }) },
    });
    expect(answer.status, answer.text).toBe(200);
    return answer.body;
  };
  return { id, email, ip, tokens: body, token: body.accessToken as string, from, signIn };
}
type Owner = Awaited<ReturnType<typeof owner>>;

const send = (fields: Record<string, string>) =>
  fetch(`${url}/end-session`, {
    method: 'POST',
    body: new URLSearchParams(fields),
    headers: { 'x-forwarded-for': unused() },
  });
const statusOf = async ({ accessToken }: { accessToken: string }) =>
  (await ask('GET', '/me', { token: accessToken })).status;
const linkFor = async (user: Owner) => {
  const tokens = await user.signIn();
  const { secrets } = await mailbox.next(user.email);
  return { tokens, secrets: secrets as { token: string } };
};
/** No mail is on its way to anybody. */
const noMail = () => eventually(async () => expect(await OutgoingMail.count()).toBe(0));

describe('nothing is said', () => {
  it('of the first session of a user', async () => {
    const { email } = await owner();
    await noMail();
    expect([news(), mailbox.all(email)]).toEqual([[], []]);
  });

  it('of the first sign-in of somebody who was made on the command line or imported', async () => {
    const email = 'made@example.com';
    await auth.users.create({ email, password, emailVerified: true });
    const body = { email, password };
    expect((await ask('POST', '/auth/login', { body })).status).toBe(200);
    await noMail();
    expect([news(), mailbox.all(email)]).toEqual([[], []]);
  });

  it('of a known network, of a known device, and of a newer version of a browser', async () => {
    const { ip, signIn } = await owner();
    await signIn(ip, SAFARI);
    await signIn(unused(), FIREFOX);
    await signIn(unused(), NEWER_FIREFOX);
    expect(news()).toEqual([]);
  });

  it('of another address of the same IPv6 network', async () => {
    const { signIn } = await owner();
    await signIn('2001:db8:1:2::3', SAFARI);
    expect(news()).toHaveLength(1);
    await signIn('2001:db8:1:2:ffff::4', FIREFOX.replace('Firefox', 'Otherfox'));
    expect(news()).toEqual([]);
  });

  it('of a refresh, of a password that is asked again, and of a new password', async () => {
    const { from, tokens, token } = await owner();
    let agents = 0;
    const elsewhere = () => from(unused(), `agent-${String.fromCharCode(97 + agents++)}`);
    const { refreshToken } = tokens;
    const answers = [
      await ask('POST', '/auth/refresh', { ...elsewhere(), body: { refreshToken } }),
      await ask('POST', '/auth/reauthenticate', { ...elsewhere(), token, body: { password } }),
      await ask('PUT', '/me/password', {
        ...elsewhere(),
        token,
        body: { currentPassword: password, newPassword: 'another long password' },
      }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 204, 200]);
    expect(news()).toEqual([]);
  });

  it('of a sign-in that is refused, or waits for its second factor', async () => {
    const user = await owner();
    const { token } = user;
    const { code } = await addApp(ctx, {
      ask: (method, path, question) => ask(method, path, { token, ...question }),
    });
    const wrong = { email: user.email, password: 'not the password' };
    const right = { email: user.email, password };
    const ip = unused();
    const statuses = [];
    for (const body of [wrong, right])
      statuses.push(await ask('POST', '/auth/login', { ...user.from(ip, SAFARI), body }));
    expect(statuses.map(({ status }) => status)).toEqual([401, 403]);
    expect(news()).toEqual([]);
    const { mfaToken } = statuses[1]!.body;
    const done = await ask('POST', '/auth/mfa', {
      ...user.from(ip, SAFARI),
      body: { mfaToken, code: code() },
    });
    expect(done.status, done.text).toBe(200);
    expect(news()).toMatchObject([{ userId: user.id, strategy: 'local', ip }]);
  });

  it('by mail to an address that nobody has confirmed', async () => {
    const { email, id, signIn } = await owner({ confirmed: false });
    await signIn();
    expect(news()).toMatchObject([{ userId: id }]);
    await noMail();
    expect(mailbox.all(email)).toEqual([]);
    expect(await OneTimeToken.count({ where: { userId: id, purpose: 'end session' } })).toBe(0);
  });
});

describe('a sign-in from a network and a device that are new', () => {
  it('is an event and a mail', async () => {
    const user = await owner();
    const ip = unused();
    const { session } = await user.signIn(ip);
    expect(news()).toEqual([{ userId: user.id, sessionId: session.id, strategy: 'local', ip }]);
    const { subject, text, link, secrets, recipients } = await mailbox.next(user.email);
    expect(recipients).toEqual([user.email]);
    expect(subject).toBe('A sign-in on a new device');
    expect(link).toMatch(/^https:\/\/auth\.example\/end-session\?token=[\w-]{43}$/);
    expect(Object.keys(secrets)).toEqual(['token']);
    for (const words of [
      'Hello Ada Lovelace,',
      'Device: Safari on iOS.',
      `Network address: ${ip}.`,
      'Signed in with: password.',
      'you have an account at auth.example',
    ])
      expect(text).toContain(words);
  });

  it('is said once', async () => {
    const { signIn } = await owner();
    const ip = unused();
    await signIn(ip);
    await signIn(ip);
    await signIn(unused()); // the device is known by now
    expect(news()).toHaveLength(1);
  });

  it('is said once of five at the same time', async () => {
    const { id, signIn } = await owner();
    const ip = unused();
    await Promise.all(Array.from({ length: 5 }, () => signIn(ip)));
    expect(news()).toMatchObject([{ userId: id }]);
  });

  it('is said with every name and by every strategy', async () => {
    const user = await owner();
    const { asked } = emailCodes(ask, mailbox);
    const { requestToken, code } = await asked(user.email);
    const answer = await ask('POST', '/auth/email-code', {
      ...user.from(unused(), SAFARI),
      body: { requestToken, code },
    });
    expect(answer.status, answer.text).toBe(200);
    expect(news()).toMatchObject([{ userId: user.id, strategy: 'email-code' }]);
    expect((await mailbox.next(user.email)).text).toContain('Signed in with: code by mail.');
  });

  it('is known by sessions that have ended, as long as they are kept', async () => {
    const { id, signIn } = await owner();
    const [ip, later] = [unused(), unused()];
    await signIn(ip);
    expect(news()).toHaveLength(1);
    await auth.sessions.endAll(id);
    await signIn(later);
    expect(news()).toEqual([]);
    await Session.destroy({ where: { userId: id, ip: [ip, later] } });
    await signIn(later);
    expect(news()).toHaveLength(1);
  });

  it.each(['', 'okhttp/4.12.0'])(
    'knows a client by the first word of its agent: %j',
    async (agent) => {
      const { signIn } = await owner();
      await signIn(unused(), agent);
      await signIn(unused(), agent.replace('4.12', '5.0'));
      expect(news()).toHaveLength(agent ? 1 : 2); // one that says nothing is never known
    },
  );

  it('shows the name that the client gives the device, unless mail programs make a link of it', async () => {
    const { email, signIn } = await owner();
    const device = (name: string, platform: string) => ({ kind: 'mobile', name, platform });
    for (const [name, platform, shown] of [
      ['Ada’s Pixel 8', 'Android', 'Ada’s Pixel 8 (Android)'],
      ['see https://evil.example', 'iOS', 'Safari on iOS'],
      ['evil.example', 'evil.example', 'Safari on iOS'],
      ['call 555 1234 567', 'Android', 'Safari on iOS (Android)'],
      ['<b>Ada', '<i>', '<b>Ada (<i>)'],
    ] as const) {
      await signIn(unused(), SAFARI, device(name, platform));
      const { text } = await mailbox.next(email);
      expect(text).toContain(`Device: ${shown}.`);
      expect(text).not.toMatch(/evil\.|555 /);
    }
    await noMail();
  });

  it('brings five mails an hour at most, and is an event each time', async () => {
    const { email, id, signIn } = await owner();
    await times(7, (i) => signIn(unused(), SAFARI, { name: `Phone ${i}` }));
    await noMail();
    expect(mailbox.all(email)).toHaveLength(5);
    expect(news()).toHaveLength(7);
    expect(await OneTimeToken.count({ where: { userId: id, purpose: 'end session' } })).toBe(5);
    wait(61 * 60 * 1000);
    await signIn(unused(), SAFARI, { name: 'Phone 8' });
    await mailbox.next(email);
    await eventually(() => expect(mailbox.all(email)).toHaveLength(6));
  });

  it('is told although a stranger has used up the mails that anybody may ask for', async () => {
    const { email, signIn } = await owner();
    await times(6, () => ask('POST', '/auth/password/forgot', { body: { email } }));
    await signIn();
    await eventually(() =>
      expect(mailbox.all(email).map(({ subject }) => subject)).toContain(
        'A sign-in on a new device',
      ),
    );
  });
});

describe('the link in that mail', () => {
  it('is good for nobody who changes it, and ends nothing when it is opened', async () => {
    const user = await owner();
    const { tokens, secrets } = await linkFor(user);
    const page = `${url}/end-session?${new URLSearchParams(secrets).toString()}`;
    for (const method of ['GET', 'HEAD', 'GET'])
      expect((await fetch(page, { method })).status).toBe(200);
    const { token } = secrets;
    for (const fields of [
      {},
      { token: '' },
      { token: 'x'.repeat(43) },
      { token: token.toUpperCase() },
      { token, sessionId: user.tokens.session.id },
    ])
      expect((await send(fields as Record<string, string>)).status).toBe(400);
    expect(await statusOf(tokens)).toBe(200);
    const other = await ask('POST', '/auth/email/restore', { body: { token } });
    expect(other.status).toBe(400); // a token is for one purpose
    expect(await statusOf(tokens)).toBe(200);
  });

  it('signs that device out, and no other, without a sign-in', async () => {
    const user = await owner();
    const ended: unknown[] = [];
    const stop = auth.on('session.ended', (event) => void ended.push(event));
    const { tokens, secrets } = await linkFor(user);
    const other = await user.signIn(user.ip, FIREFOX);
    const answer = await send(secrets);
    const text = await answer.text();
    stop();
    expect([answer.status, ended]).toEqual([
      200,
      [{ userId: user.id, sessionId: tokens.session.id, why: 'reported' }],
    ]);
    expect(text).toContain('That device is signed out. Now choose a new password');
    expect(text).toContain('<a href="/forgot-password">Choose a new password</a>');
    expect(await statusOf(tokens)).toBe(401);
    const { refreshToken } = tokens;
    const refreshed = await ask('POST', '/auth/refresh', { body: { refreshToken } });
    expect([refreshed.status, refreshed.body.code]).toEqual([400, 'invalid_grant']);
    expect(await statusOf(user.tokens)).toBe(200);
    expect(await statusOf(other)).toBe(200);
  });

  it('works once, also of ten times at once', async () => {
    const { secrets } = await linkFor(await owner());
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(secrets)));
    const statuses = statusesOf(answers);
    expect(statuses).toEqual([200, ...Array.from({ length: 9 }, () => 400)]);
    const text = await answers.find(({ status }) => status === 400)!.text();
    expect(text).toContain('The link was used before, or is too old.');
    expect(text).toContain('<a href="/forgot-password">');
  });

  it('is good for seven days', async () => {
    const { secrets } = await linkFor(await owner());
    const { secrets: late } = await linkFor(await owner());
    wait((7 * 24 * 60 - 1) * 60_000);
    expect((await send(secrets)).status).toBe(200);
    wait(2 * 60_000);
    expect((await send(late)).status).toBe(400);
  });

  it('is good after the thief has changed password and address', async () => {
    const user = await owner();
    const { tokens, secrets } = await linkFor(user);
    const changed = await ask('PUT', '/me/password', {
      token: tokens.accessToken,
      body: { currentPassword: password, newPassword: 'the password of a thief' },
    });
    expect(changed.status).toBe(200);
    const answer = await send(secrets);
    // The session is over already. The page says what ends the next one.
    expect([answer.status, (await answer.text()).includes('/forgot-password')]).toEqual([
      200,
      true,
    ]);
  });

  it('is void when the user is deleted', async () => {
    const user = await owner();
    const { secrets } = await linkFor(user);
    await auth.users.delete(user.id);
    expect((await send(secrets)).status).toBe(400);
  });
});

it('with the setting off it is an event and no mail, and no token is kept', async () => {
  const quiet = await startLimited(mailbox.env);
  const heard: unknown[] = [];
  quiet.auth.on('session.new_device', (event) => void heard.push(event));
  const email = 'quiet@example.com';
  const { id } = await quiet.member({ email });
  await quiet.User.update({ emailVerifiedAt: new Date() }, { where: { id } });
  const answer = await quiet.ask('POST', '/auth/login', {
    headers: { 'x-forwarded-for': unused(), 'user-agent': SAFARI },
    body: { email, password },
  });
  expect([answer.status, heard]).toEqual([200, [expect.objectContaining({ userId: id })]]);
  expect([await quiet.OutgoingMail.count(), await quiet.OneTimeToken.count()]).toEqual([0, 0]);
});
