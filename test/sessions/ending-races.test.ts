import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { runProcess, settingsFor, startProcess } from '#test/support/process';
import { rounds } from '#test/support/rounds';
import { OUT, worth, type Tokens } from '#test/support/worth';

const { ask, auth, databaseUrl, env: settings, register, Session } = await startApp();

type Asking = typeof ask;
/** Settings of a second node: another process on the same database. */
const env = settingsFor(databaseUrl, { APP_SECRET: settings.APP_SECRET });

/** One user on two devices. `target` is the one that refreshes while something ends its session. */
interface Pair {
  id: string;
  target: Tokens;
  other: Tokens;
}
async function pair(): Promise<Pair> {
  const { id, username, tokens } = await register();
  const { body } = await ask('POST', '/auth/login', { body: { username, password } });
  return { id, target: tokens, other: body };
}

type Ending = (at: Asking, pair: Pair) => Promise<number>;
const status = async (answer: Promise<{ status: number }>) => (await answer).status;
const endings: [string, Ending, dead?: string][] = [
  [
    'signs out',
    (at, { target }) =>
      status(at('POST', '/auth/logout', { body: { refreshToken: target.refreshToken } })),
  ],
  [
    'signs out everywhere',
    (at, { target }) =>
      status(at('POST', '/auth/logout', { token: target.accessToken, body: { scope: 'all' } })),
  ],
  [
    'is signed out by another device',
    (at, { other }) =>
      status(at('POST', '/auth/logout', { token: other.accessToken, body: { scope: 'others' } })),
  ],
  [
    'is ended in the list',
    (at, { target, other }) =>
      status(at('DELETE', `/me/sessions/${target.session.id}`, { token: other.accessToken })),
  ],
  [
    'gets a new password',
    (at, { other }) =>
      status(
        at('PUT', '/me/password', {
          token: other.accessToken,
          body: { currentPassword: password, newPassword: 'staple battery horse' },
        }),
      ),
  ],
  [
    'is disabled',
    async (_at, { id }) => auth.users.disable(id).then(() => 204),
    'user_disabled, revoked',
  ],
  [
    'deletes themselves',
    (at, { other }) =>
      status(at('DELETE', '/me', { token: other.accessToken, body: { password } })),
  ],
];

/** Refreshes again and again until it is over. Answers all tokens that were issued. */
async function refreshing(
  at: Asking,
  first: Tokens,
  isOver: () => boolean,
  onGiven: (times: number) => void = () => {},
): Promise<Tokens[]> {
  const given = [first];
  for (onGiven(0); !isOver(); onGiven(given.length - 1)) {
    const { status, body } = await at('POST', '/auth/refresh', {
      body: { refreshToken: given.at(-1)!.refreshToken },
    });
    if (status !== 200) {
      expect([status, body.reason, body.sessionStatus]).toEqual([400, 'revoked', 'ended']);
      break;
    }
    given.push(body);
  }
  return given;
}

/**
 * Refreshes a session here. After so many times it is ended there, while the next refresh is
 * under way.
 */
async function race(
  user: Pair,
  times: number,
  here: Asking,
  there: Asking,
  [, end, dead = OUT]: (typeof endings)[number],
) {
  const due = Promise.withResolvers<void>();
  let over = false;
  const ended = due.promise
    .then(() => sleep(Math.random() * 6))
    .then(() => end(there, user))
    .finally(() => (over = true));
  const given = await refreshing(
    here,
    user.target,
    () => over,
    (count) => count >= times && due.resolve(),
  );
  expect([200, 204]).toContain(await ended);
  for (const tokens of given.slice(-2))
    for (const at of new Set([here, there])) expect(await worth(at, tokens)).toBe(dead);
  expect(await Session.count({ where: { id: user.target.session.id, endedAt: null } })).toBe(0);
}

/** So many races. Five run at a time, so that they disturb one another. */
async function races(
  rounds: number,
  here: Asking,
  there: Asking,
  ending: (typeof endings)[number],
): Promise<void> {
  for (let done = 0; done < rounds; done += 5) {
    const users: Pair[] = [];
    while (users.length < Math.min(5, rounds - done)) users.push(await pair());
    await Promise.all(users.map((user, i) => race(user, i % 3, here, there, ending)));
  }
}

const endingThat = (wanted: string) => endings.find(([what]) => what === wanted)!;

describe('a client that refreshes while the user', () => {
  it.each(endings)('%s, is out in the end (R-20)', async (what) => {
    await races(rounds(6, 200), ask, ask, endingThat(what));
  });

  it('is disabled by the command line, is out in the end, and stays so when the user is back', async () => {
    const { id, target } = await pair();
    let over = false;
    const command = runProcess('cli', env, { args: ['user', 'disable', id] }).finally(
      () => (over = true),
    );
    const given = await refreshing(ask, target, () => over);
    expect((await command).code).toBe(0);
    expect(given.length).toBeGreaterThan(1);
    for (const tokens of given.slice(-2))
      expect(await worth(ask, tokens)).toBe('user_disabled, revoked');
    await auth.users.enable(id);
    for (const tokens of given.slice(-2)) expect(await worth(ask, tokens)).toBe(OUT);
  });
});

describe('a client that refreshes on one node while, on another, the user', () => {
  it('signs out or is disabled, is out in the end (R-20)', async () => {
    const { ask: node } = await startProcess(env);
    await races(rounds(3, 200), node, ask, endingThat('signs out'));
    await races(rounds(3, 200), ask, node, endingThat('signs out everywhere'));
    await races(rounds(3, 200), node, ask, endingThat('is disabled'));
  });
});
