import bcrypt from 'bcrypt';
import { afterEach, expect, it, vi } from 'vitest';
import { linkIdentity } from '#src/federation/link';
import { ProviderProfile } from '#src/strategy-kit/provider-profile';
import { principalOf } from '#src/users/principal';
import { password, startApp } from '#test/support/app';
import { openMailbox } from '#test/support/mailbox';

const mailbox = await openMailbox();
const { ctx, ask, register, User } = await startApp({
  ...mailbox.env,
  API_KEYS: 'on',
  EMAIL_VERIFICATION: 'optional',
});
let people = 0;
const address = () => `gone${++people}@example.com`;
const ended = { status: 401, body: { code: 'session_ended' } };
afterEach(() => {
  vi.restoreAllMocks();
});

/** Does something when the next password has been compared, before anybody hears of it. */
function afterComparing(work: () => Promise<unknown>): void {
  const { compare } = bcrypt;
  vi.spyOn(bcrypt, 'compare').mockImplementationOnce((async (plain: string, hash: string) => {
    const answer = await compare(plain, hash);
    await work();
    return answer;
  }) as never);
}
/** Does something `before` the next query for one user, or `after` it, before anybody hears what it found. */
function aroundFinding({
  before = async () => {},
  after = async () => {},
}: {
  before?: () => Promise<unknown>;
  after?: () => Promise<unknown>;
}): void {
  const find = User.findOne.bind(User) as (options: unknown) => Promise<unknown>;
  vi.spyOn(User, 'findOne').mockImplementationOnce((async (options: unknown) => {
    await before();
    const user = await find(options);
    await after();
    return user;
  }) as never);
}

it('a password that was changed while it was compared changes no address', async () => {
  const [me, to] = [await register({ email: address() }), address()];
  const passwordHash = await bcrypt.hash('another long password', 4);
  afterComparing(() => User.update({ passwordHash }, { where: { id: me.id } }));
  const answer = await me.ask('POST', '/me/email', {
    body: { email: to, currentPassword: password },
  });
  expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
  const last = address();
  await register({ email: last });
  await mailbox.next(last);
  expect(mailbox.all(to)).toEqual([]);
});

it('a hash that was renewed while it was compared is looked at again', async () => {
  const [me, to] = [await register({ email: address() }), address()];
  const passwordHash = await bcrypt.hash(password, 4);
  afterComparing(() => User.update({ passwordHash }, { where: { id: me.id } }));
  expect(
    (await me.ask('POST', '/me/email', { body: { email: to, currentPassword: password } })).status,
  ).toBe(202);
  expect((await mailbox.next(to)).subject).toBe('Confirm your new e-mail address');
});

it('a user who is deleted at this moment changes no address', async () => {
  const me = await register({ email: address() });
  afterComparing(() => User.destroy({ where: { id: me.id } }));
  expect(
    await me.ask('POST', '/me/email', { body: { email: address(), currentPassword: password } }),
  ).toMatchObject(ended);
});

it.each(['/auth/password/forgot', '/auth/email/verify/resend'])(
  'nobody learns from %s that somebody goes at this moment',
  async (path) => {
    const email = address();
    const { id } = await register({ email });
    aroundFinding({ after: () => User.destroy({ where: { id } }) });
    const answer = await ask('POST', path, { body: { email } });
    expect([answer.status, answer.text]).toEqual([202, '']);
  },
);

it('a user who is deleted at this moment makes no API key and links no provider', async () => {
  const me = await register();
  const principal = principalOf((await User.findByPk(me.id, { include: ['roles'] }))!);
  aroundFinding({ before: () => User.destroy({ where: { id: me.id } }) });
  expect(await me.ask('POST', '/me/api-keys', { body: { name: 'mine' } })).toMatchObject(ended);
  await User.destroy({ where: { id: me.id } });
  const profile = new ProviderProfile('far', { subject: me.id });
  await expect(linkIdentity(ctx, principal, profile)).rejects.toMatchObject({
    code: 'session_ended',
  });
});

it('a password that was changed while it was compared deletes nobody', async () => {
  const me = await register();
  const passwordHash = await bcrypt.hash('another long password', 4);
  afterComparing(() => User.update({ passwordHash }, { where: { id: me.id } }));
  const answer = await me.ask('DELETE', '/me', { body: { password } });
  expect(answer).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } });
  expect(await User.count({ where: { id: me.id } })).toBe(1);
});

it('a hash that was renewed while it was compared deletes the user all the same', async () => {
  const me = await register();
  const passwordHash = await bcrypt.hash(password, 4);
  afterComparing(() => User.update({ passwordHash }, { where: { id: me.id } }));
  expect((await me.ask('DELETE', '/me', { body: { password } })).status).toBe(204);
  expect(await User.count({ where: { id: me.id } })).toBe(0);
});
