import { expect, it } from 'vitest';
import { eventually } from '#test/support/eventually';
import { startLimited, statuses, times } from '#test/support/limited';
import { folderOf } from '#test/support/strategy-folder';
import { openMailbox } from '#test/support/mailbox';
import { authorizationRequest } from '#test/support/pkce';

const away = `export default { name: 'away', kind: 'redirect', summary: 'Sends people off', create: () => ({ authenticate() { this.redirect('https://idp.example/'); } }) };`;
const mailbox = await openMailbox();
const { ask, from, member, unused, url, User, OutgoingMail } = await startLimited({
  ...mailbox.env,
  EMAIL_VERIFICATION: 'optional',
  REDIRECT_URIS: 'https://app.example.com/in',
  STRATEGIES_DIR: folderOf({ 'away.mjs': away }),
});
let people = 0;
const address = () => `flooded${++people}@example.com`;
const forgot = (email: string) =>
  ask('POST', '/auth/password/forgot', { body: { email }, ...from(unused()) });
const resend = (email: string) =>
  ask('POST', '/auth/email/verify/resend', { body: { email }, ...from(unused()) });
/** All that were queued before have arrived when this one has and nothing waits. */
async function arrived(email: string): Promise<number> {
  const last = address();
  await member({ email: last });
  await mailbox.next(last);
  await eventually(async () => expect(await OutgoingMail.count()).toBe(0));
  return mailbox.all(email).length;
}

it('20 requests for one address bring five mails, and the same answer each time (F-14)', async () => {
  const email = address();
  const { ip, username } = await member({ email });
  await mailbox.next(email); // that of the sign-up, which counts
  const answers = await times(20, () => forgot(email));
  expect(statuses(answers)).toEqual([202]);
  expect(await arrived(email)).toBe(5);
  expect(
    (
      await ask('POST', '/auth/login', {
        body: { identifier: username, password: 'correct horse battery' },
        ...from(ip),
      })
    ).status,
  ).toBe(200);
});

it('counts what brings a mail together: a forgotten password, a confirmation, a change of address', async () => {
  const [email, own] = [address(), address()];
  await member({ email });
  await mailbox.next(email);
  await times(3, () => forgot(email));
  await times(2, () => resend(email));
  const { token, ip } = await member({ email: own });
  const change = { email, currentPassword: 'correct horse battery' };
  expect((await ask('POST', '/me/email', { token, body: change, ...from(ip) })).status).toBe(202);
  expect(statuses(await times(3, () => resend(email)))).toEqual([202]);
  expect(await arrived(email)).toBe(5);
});

it('ten changes of the password bring an address that nobody has proved five mails, and its owner every one', async () => {
  for (const [proved, most] of [
    [false, 5],
    [true, 1 + 8],
  ] as const) {
    const email = address();
    const { id, ip, token } = await member({ email });
    await mailbox.next(email);
    if (proved) await User.update({ emailVerifiedAt: new Date() }, { where: { id } });
    let [access, now] = [token, 'correct horse battery'];
    for (let i = 0; i < 8; i++) {
      const next = `correct horse battery ${i}`;
      const body = { currentPassword: now, newPassword: next };
      const answer = await ask('PUT', '/me/password', { token: access, body, ...from(ip) });
      expect(answer.status).toBe(200);
      [access, now] = [answer.body.accessToken, next];
    }
    expect(await arrived(email)).toBe(most);
  }
});

it('signing up and deleting oneself again and again brings a stranger no more mails either', async () => {
  const email = address();
  for (let i = 0; i < 8; i++) {
    const { ip, token } = await member({ email });
    expect(
      (await ask('DELETE', '/me', { token, body: { confirm: 'delete' }, ...from(ip) })).status,
    ).toBe(204);
  }
  expect(await arrived(email)).toBe(5);
});

it('greets by name only who has proved the address: the name may be a stranger’s message', async () => {
  const email = address();
  const { id } = await member({ email, name: 'You have won a prize' });
  await mailbox.next(email);
  await forgot(email);
  expect((await mailbox.next(email)).text).toMatch(/^Hello,\n/);
  await User.update({ emailVerifiedAt: new Date() }, { where: { id } });
  await forgot(email);
  expect((await mailbox.next(email)).text).toMatch(/^Hello You have won a prize,\n/);
});

it('tells a person, too, how long to wait, on every page that is limited', async () => {
  const ip = unused();
  const open = (address: string, method = 'GET') =>
    fetch(address, {
      method,
      redirect: 'manual',
      headers: {
        accept: 'text/html',
        'x-forwarded-for': ip,
        ...(method === 'POST' && { 'content-type': 'application/x-www-form-urlencoded' }),
      },
      ...(method === 'POST' && { body: 'email=nobody%40example.com' }),
    });
  const ask = () => open(`${url}/forgot-password`, 'POST');
  expect((await times(20, ask)).filter(({ status }) => status === 429)).toEqual([]);
  const refused = await ask();
  expect([refused.status, refused.headers.get('content-type')]).toEqual([
    429,
    'text/html; charset=utf-8',
  ]);
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
  expect(refused.headers.get('ratelimit-policy')).toContain('network');

  // The app learns it, where a browser was on its way to a provider.
  const { address } = authorizationRequest(url, 'away', 'https://app.example.com/in');
  const started = await times(30, () => open(address));
  expect(started.filter((each) => locationOf(each).includes('rate_limited'))).toEqual([]);
  expect(locationOf(await open(address))).toMatch(
    /^https:\/\/app\.example\.com\/in\?.*error=rate_limited/,
  );
});

const locationOf = ({ headers }: Response) => headers.get('location') ?? '';
