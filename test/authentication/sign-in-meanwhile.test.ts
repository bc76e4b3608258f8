import bcrypt from 'bcrypt';
import { afterEach, expect, it, vi } from 'vitest';
import { signIn } from '#src/authentication/sign-in';
import { password, startApp } from '#test/support/app';

// Comparing a password takes long. Here is what happens in between, after the user was read.
const { auth, ask, ctx, logIn, register, Session, User } = await startApp({ LIMITS: 'on' });
const live = async (id: string) => (await auth.sessions.list(id)).map((session) => session.id);

afterEach(() => void vi.restoreAllMocks());

/** Signs in, and does `work` while the password is compared. */
async function whileComparing(username: string, work: () => Promise<unknown>) {
  const compare = bcrypt.compare.bind(bcrypt) as (...args: unknown[]) => Promise<boolean>;
  vi.spyOn(bcrypt, 'compare').mockImplementationOnce((async (...args: unknown[]) => {
    await work();
    return compare(...args);
  }) as never);
  return logIn(username);
}

it.each<[what: string, work: (id: string) => Promise<unknown>]>([
  ['is disabled', (id) => User.update({ disabledAt: new Date() }, { where: { id } })],
  ['gets another password', (id) => auth.users.setPassword(id, 'staple battery horse')],
  ['is deleted', (id) => auth.users.delete(id)],
])('a user who %s does not come in', async (_what, work) => {
  const ada = await register();
  const refused = await whileComparing(ada.username, () => work(ada.id));
  expect([refused.status, refused.body.code]).toEqual([401, 'invalid_credentials']);
  expect((await live(ada.id).catch(() => [])).length).toBeLessThanOrEqual(1); // that of the registration
});

it('a user who gets another name comes in, and other sign-ins do, too', async () => {
  const ada = await register();
  const email = 'ada@example.com';
  const named = { email, emailCanonical: email, name: 'Ada' };
  const answer = await whileComparing(ada.username, async () => {
    await User.update(named, { where: { id: ada.id } });
    const user = (await auth.users.find(ada.id))!;
    await signIn(ctx, { user }, {}, { strategy: 'local' });
  });
  expect(answer.status, answer.text).toBe(200);
  expect(await live(ada.id)).toHaveLength(3);
});

it.each([7, 8, 9, 12])('with %i more sessions meanwhile, there are ten at most', async (more) => {
  const ada = await register();
  const answer = await whileComparing(ada.username, async () => {
    const user = (await auth.users.find(ada.id))!;
    for (let i = 0; i < more; i++) await signIn(ctx, { user }, {}, { strategy: 'local' });
  });
  expect(answer.status, answer.text).toBe(200);
  const left = await live(ada.id);
  expect(left).toHaveLength(Math.min(10, more + 2));
  expect(left).toContain(answer.body.session.id);
  expect(left.includes(ada.tokens.session.id)).toBe(more <= 8);
});

it('what was read is used once, and only for the name that it was read for', async () => {
  const [ada, bob] = [await register(), await register()];
  const other = 'staple battery horse';
  const setHash = async (id: string, plain: string) =>
    User.update({ passwordHash: await bcrypt.hash(plain, 4) }, { where: { id } });
  await ctx.handedUser.run({}, async () => {
    await auth.users.throttleSubject(ada.username);
    await setHash(ada.id, other);
    await setHash(bob.id, other);
    expect((await auth.users.verifyPassword(bob.username, other))?.id).toBe(bob.id);
    expect((await auth.users.verifyPassword(ada.username, password))?.id).toBe(ada.id);
    expect(await auth.users.verifyPassword(ada.username, password)).toBeNull();
    expect((await auth.users.verifyPassword(ada.username, other))?.id).toBe(ada.id);
  });
  await auth.users.throttleSubject(ada.username); // outside of a sign-in
  await setHash(ada.id, password);
  expect((await auth.users.verifyPassword(ada.username, password))?.id).toBe(ada.id);
  expect(await Session.count({ where: { userId: ada.id } })).toBe(1);
  expect((await ask('GET', '/me', { token: ada.token })).status).toBe(200);
});
