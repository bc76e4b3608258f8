import { expect, it } from 'vitest';
import { password } from '#test/support/app';
import { startLimited, times } from '#test/support/limited';
import { openMailbox } from '#test/support/mailbox';
import { addApp } from '#test/support/second-factor';

const ADDRESS = 5; // LIMIT_MAILS_PER_ADDRESS
const MOST = 8;
const mailbox = await openMailbox();
const app = await startLimited({ ...mailbox.env, LIMIT_MAILS_PER_ADMINISTRATOR: `${MOST}/1h` });
const { auth, ask, ctx, from, member, AuditEntry, User } = app;

let made = 0;
const address = () => `mailed${++made}@example.com`;
async function administrator() {
  const me = await member();
  await auth.roles.grant(me.id, 'admin');
  const mine = (method: string, path: string, question: object = {}) =>
    ask(method, path, { token: me.token, ...from(me.ip), ...question });
  return { ...me, ask: mine };
}
type Administrator = Awaited<ReturnType<typeof administrator>>;
async function user() {
  const email = address();
  const { id } = await auth.users.create({ email, password, emailVerified: true });
  return { id, email };
}
const invite = (by: Administrator, email: string) =>
  by.ask('POST', '/admin/users', { body: { email } });
const reset = (by: Administrator, { id }: { id: string }) =>
  by.ask('POST', `/admin/users/${id}/password-reset`, { body: {} });
const limited = expect.objectContaining({ status: 429 });

it('one administrator causes so many mails at most, whoever they go to', async () => {
  const [one, other] = [await administrator(), await administrator()];
  const answers = await times(MOST + 1, () => invite(one, address()));
  expect(answers.map(({ status }) => status)).toEqual([...Array(MOST).fill(201), 429]);
  expect(Number(answers.at(-1)!.headers.get('retry-after'))).toBeGreaterThan(0);
  const ada = await user();
  expect(await reset(one, ada)).toEqual(limited);
  const to = address();
  const moved = await one.ask('PATCH', `/admin/users/${ada.id}`, { body: { email: to } });
  expect(moved).toEqual(limited);
  expect((await one.ask('PATCH', `/admin/users/${ada.id}`, { body: { name: 'Ada' } })).status).toBe(
    200,
  );
  expect(await User.findByPk(ada.id)).toMatchObject({ email: ada.email, name: 'Ada' });
  for (const each of [ada.email, to]) expect(mailbox.all(each)).toEqual([]);
  expect((await reset(other, ada)).status).toBe(202);
  await auth.invitations.create({ email: address() });
  const reached = await AuditEntry.findAll({ where: { type: 'limit.reached', actor: one.id } });
  expect(reached.map(({ details }) => JSON.parse(details).limit)).toEqual(['admin-mail']);
});

it('one address gets so many at most, whichever administrator it is', async () => {
  const [one, other] = [await administrator(), await administrator()];
  const ada = await user();
  const answers = await times(ADDRESS + 1, (i) => reset(i % 2 ? one : other, ada));
  expect(answers.map(({ status }) => status)).toEqual([...Array(ADDRESS).fill(202), 429]);
  expect(mailbox.all(ada.email).length).toBeLessThanOrEqual(ADDRESS);
  const taken = { body: { email: address() } };
  expect(await one.ask('PATCH', `/admin/users/${ada.id}`, taken)).toEqual(limited);
  const guest = address();
  const { body } = await invite(one, guest);
  const again = await times(ADDRESS, () =>
    other.ask('POST', `/admin/invitations/${body.id}/resend`),
  );
  expect(again.map(({ status }) => status)).toEqual([...Array(ADDRESS - 1).fill(200), 429]);
});

it('strangers do not use up what administrators may mail', async () => {
  const [one, ada] = [await administrator(), await user()];
  await times(ADDRESS + 1, () =>
    ask('POST', '/auth/password/forgot', { body: { email: ada.email }, ...from(app.unused()) }),
  );
  expect((await reset(one, ada)).status).toBe(202);
});

it('who acts for users is bounded as well: each time is mailed', async () => {
  const [one, ada] = [await administrator(), await user()];
  await addApp(ctx, { ask: one.ask });
  const begin = () =>
    one.ask('POST', `/admin/users/${ada.id}/impersonate`, {
      body: { reason: 'A question of theirs' },
    });
  const answers = await times(ADDRESS + 1, begin);
  expect(answers.map(({ status }) => status)).toEqual([
    ...Array(ADDRESS).fill(answers[0]!.status),
    429,
  ]);
  expect(answers[0]!.status).toBeLessThan(300);
});
