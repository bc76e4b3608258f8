import bcrypt from 'bcrypt';
import { expect, it } from 'vitest';
import { password } from '#test/support/app';
import { startLimited, times } from '#test/support/limited';
import { statementsOf } from '#test/support/statements';

// With the limits of the default settings. A statement is what Sequelize sends, but for BEGIN and COMMIT. A commit is a
// COMMIT, or a statement that writes outside of a transaction.
const { ask, auth, from, logIn, member, signUp, unused, unusedName, User } = await startLimited();
const sent = statementsOf(User.sequelize);

/** What `work` costs. */
async function costOf(work: () => Promise<{ status: number; text: string }>, status: number) {
  sent.length = 0;
  const answer = await work();
  expect(answer.status, answer.text).toBe(status);
  const isEdge = (sql: string) => /^(BEGIN|START TRANSACTION|COMMIT|ROLLBACK)/.test(sql);
  const statements = sent.filter((sql) => !isEdge(sql));
  let [commits, isOpen] = [0, false];
  for (const sql of sent) {
    if (isEdge(sql)) isOpen = /^(BEGIN|START)/.test(sql);
    if (sql.startsWith('COMMIT') || (!isOpen && !isEdge(sql) && !sql.startsWith('SELECT')))
      commits++;
  }
  return { statements: statements.length, commits };
}

const signIn = (user: { ip: string; username: string }) => () =>
  logIn(user.ip, user.username, password);
const refresh = (ip: string, refreshToken: string) => () =>
  ask('POST', '/auth/refresh', { body: { refreshToken }, ...from(ip) });

it('a sign-in takes six statements and two commits, limits included', async () => {
  const ada = await member();
  for (let i = 0; i < 5; i++)
    expect(await costOf(signIn(ada), 200)).toEqual({ statements: 6, commits: 2 });
});

it('costs the same by e-mail address, from another network and with several roles', async () => {
  const email = 'ada@example.com';
  const ada = await member({ email });
  await auth.roles.grant(ada.id, 'admin');
  await auth.roles.grant(ada.id, 'moderator');
  expect(await costOf(() => logIn(unused(), email, password), 200)).toEqual({
    statements: 6,
    commits: 2,
  });
});

it('costs the same on a new device, which is an event', async () => {
  const ada = await member();
  const heard: unknown[] = [];
  const stop = auth.on('session.new_device', (event) => void heard.push(event));
  const headers = { 'x-forwarded-for': unused(), 'user-agent': 'another' };
  const body = { identifier: ada.username, password };
  const cost = await costOf(() => ask('POST', '/auth/login', { body, headers }), 200);
  stop();
  expect([cost, heard.length]).toEqual([{ statements: 6, commits: 2 }, 1]);
});

it('takes two more when the oldest session makes room, and what acts for others from it', async () => {
  const ada = await member();
  await times(9, signIn(ada));
  for (let i = 0; i < 5; i++)
    expect(await costOf(signIn(ada), 200)).toEqual({ statements: 8, commits: 2 });
  expect(await auth.sessions.list(ada.id)).toHaveLength(10);
});

it('after failures it takes no more', async () => {
  const ada = await member();
  await times(5, () => logIn(ada.ip, ada.username));
  expect(await costOf(signIn(ada), 200)).toEqual({ statements: 6, commits: 2 });
});

it('renews the hash of another system once, with one statement', async () => {
  const ada = await member();
  const old = bcrypt.hashSync(password, 4).replace('$2b$', '$2y$');
  await User.update({ passwordHash: old }, { where: { id: ada.id } });
  expect(await costOf(signIn(ada), 200)).toEqual({ statements: 7, commits: 3 });
  expect(await costOf(signIn(ada), 200)).toEqual({ statements: 6, commits: 2 });
});

it('a wrong password takes three statements and two commits, whoever has the name', async () => {
  const ada = await member();
  const cost = { statements: 3, commits: 2 };
  expect(await costOf(() => logIn(ada.ip, ada.username), 401)).toEqual(cost);
  expect(await costOf(() => logIn(ada.ip, unusedName()), 401)).toEqual(cost);
  await auth.users.disable(ada.id);
  expect(await costOf(signIn(ada), 401)).toEqual(cost);
});

it('a refresh takes three statements', async () => {
  const { ip, tokens } = await member();
  expect(await costOf(refresh(ip, tokens.refreshToken), 200)).toEqual({
    statements: 3,
    commits: 2,
  });
});

it('to register takes nine statements and three commits', async () => {
  expect(await costOf(() => signUp(unused()), 201)).toEqual({ statements: 9, commits: 3 });
});
