import bcrypt from 'bcrypt';
import { expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { rounds } from '#test/support/rounds';
import { IN, OUT, worth, type Tokens } from '#test/support/worth';

const { auth, ask, register, Session, User } = await startApp({ BCRYPT_COST: '5' });

const logIn = (username: string, secret = password) =>
  ask('POST', '/auth/login', { body: { username, password: secret } });
const change = (token: string, newPassword = 'staple battery horse') =>
  ask('PUT', '/me/password', { token, body: { currentPassword: password, newPassword } });
const live = (userId: string) => Session.count({ where: { userId, endedAt: null } });
/** The hash of a yesterday when one step less was enough. */
const stale = await bcrypt.hash(password, 4);

it('of several changes one wins, and only its sessions are left', async () => {
  for (let round = 0; round < rounds(4, 100); round++) {
    const ada = await register();
    const held = [ada.tokens, (await logIn(ada.username)).body] as [Tokens, Tokens];
    const words = ['first', 'second', 'third'].map((word) => `${word} battery staple`);
    const answers = await Promise.all(
      words.map((word, i) => change(held[i % 2]!.accessToken, word)),
    );
    const won = answers.flatMap(({ status }, i) => (status === 200 ? [i] : []));
    expect(won).toHaveLength(1);
    for (const { status, body } of answers.filter((_answer, i) => !won.includes(i))) {
      expect(status).toBe(401);
      expect(['invalid_credentials', 'session_ended']).toContain(body.code);
    }
    for (const tokens of held) expect(await worth(ask, tokens)).toBe(OUT);
    expect(await worth(ask, answers[won[0]!]!.body)).toBe(IN);
    expect(await live(ada.id)).toBe(1);
    for (const [i, word] of words.entries())
      expect((await logIn(ada.username, word)).status).toBe(i === won[0] ? 200 : 401);
  }
});

it('nobody stays who came in with the old password', async () => {
  for (let round = 0; round < rounds(4, 100); round++) {
    const ada = await register();
    const entering = () => logIn(ada.username);
    const [first, changed, ...rest] = await Promise.all([
      entering(),
      change(ada.token),
      entering(),
      entering(),
    ]);
    expect(changed.status).toBe(200);
    for (const { status, body } of [first, ...rest])
      if (status === 200) expect(await worth(ask, body)).toBe(OUT);
      else expect([status, body.code]).toEqual([401, 'invalid_credentials']);
    expect(await worth(ask, changed.body)).toBe(IN);
    expect(await live(ada.id)).toBe(1);
  }
});

it('a user who is disabled is out, in whatever order', async () => {
  for (let round = 0; round < rounds(4, 100); round++) {
    const ada = await register();
    const [{ status, body }] = await Promise.all([change(ada.token), auth.users.disable(ada.id)]);
    expect([200, 401]).toContain(status);
    expect(await live(ada.id)).toBe(0);
    if (status === 200) expect(await worth(ask, body)).toBe('user_disabled, revoked');
  }
});

it('sign-ins that renew a hash of yesterday all get in', async () => {
  for (let round = 0; round < rounds(4, 100); round++) {
    const ada = await register();
    await User.update({ passwordHash: stale }, { where: { id: ada.id } });
    const answers = await Promise.all([1, 2, 3].map(() => logIn(ada.username)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect((await User.findByPk(ada.id))!.passwordHash).toMatch(/^\$2b\$05\$/);
    for (const { body } of answers) expect(await worth(ask, body)).toBe(IN);
  }
});

it('a change is not refused because a sign-in renews the hash of yesterday', async () => {
  const answers = [];
  for (let round = 0; round < rounds(4, 100); round++) {
    const ada = await register();
    await User.update({ passwordHash: stale }, { where: { id: ada.id } });
    const [changed] = await Promise.all([change(ada.token), logIn(ada.username)]);
    answers.push(changed.body.code ?? changed.status);
  }
  expect(answers).toEqual(Array(answers.length).fill(200));
});
