import { setTimeout as sleep } from 'node:timers/promises';
import bcrypt from 'bcrypt';
import { expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { engine } from '#test/support/database';

// Here hashing costs as much as in production. That is why these tests have their own file.
const COST = 10;
const { ctx, ask, register } = await startApp({ BCRYPT_COST: String(COST) });
const { passwords } = ctx;

/** Other work on the machine only makes a time longer, so the shortest says most. */
const least = (times: number[]) => Math.min(...times);

// No database is asked, so one engine is enough. A missing or cheap comparison takes a sixteenth of the time or less, so
// the bounds may be wide. passwords.test.ts counts the comparisons and their costs.
it.runIf(engine === 'sqlite')(
  'takes the same time for no user, a wrong password, a cheaper hash and a long password (L-02)',
  async () => {
    const cases: Record<string, [plain: string, hash: string | null]> = {
      nobody: ['not the password', null],
      wrong: ['not the password', await passwords.hash(password)],
      cheaper: ['not the password', bcrypt.hashSync(password, 6)],
      foreign: ['not the password', '{SSHA}of another system'],
      longForNobody: ['n'.repeat(1000), null],
      longAndWrong: ['n'.repeat(1000), await passwords.hash(password.repeat(10))],
    };
    const times: Record<string, number[]> = Object.fromEntries(
      Object.keys(cases).map((name) => [name, []]),
    );
    for (let round = 0; round < 9; round++)
      for (const [name, [plain, hash]] of Object.entries(cases)) {
        const start = performance.now();
        expect(await passwords.matches(plain, hash)).toBe(false);
        times[name]!.push(performance.now() - start);
      }
    const wrong = least(times['wrong']!);
    for (const [name, list] of Object.entries(times)) {
      expect(least(list) / wrong, name).toBeGreaterThan(0.2);
      expect(least(list) / wrong, name).toBeLessThan(5);
    }
  },
);

it('says busy to what it cannot hash soon, stays alive, and lets everybody in afterwards (L-18)', async () => {
  const ada = await register();
  const flood = { over: false };
  const delays: number[] = [];
  const watch = (async () => {
    while (!flood.over) {
      const start = performance.now();
      expect((await ask('GET', '/livez')).status).toBe(200);
      delays.push(performance.now() - start);
      expect((await ada.ask('GET', '/me')).status).toBe(200);
      await sleep(20);
    }
  })();
  // Nine right ones: an eleventh session would replace the first, which is watched.
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      ask('POST', '/auth/login', {
        body: {
          identifier: i % 2 ? ada.username : 'nobody',
          password: i % 12 === 1 ? password : 'wrong one',
        },
      }),
    ),
  );
  flood.over = true;
  await watch;

  const of = (status: number) => answers.filter((answer) => answer.status === status);
  expect(of(200).length + of(401).length + of(503).length).toBe(100);
  expect(of(200).length + of(401).length).toBeGreaterThan(0);
  expect(of(503).length).toBeGreaterThan(10);
  for (const { body, headers } of of(503)) {
    // A slow machine may be slower than a strategy is given time.
    expect(body).toMatchObject({
      code: expect.stringMatching(/^(busy|unavailable)$/),
      action: 'wait',
    });
    expect(headers.get('retry-after')).toBe('1');
  }
  // All hundred, one after the other, take twice as long.
  expect(Math.max(...delays)).toBeLessThan(3000);
  expect(
    (await ask('POST', '/auth/login', { body: { identifier: ada.username, password } })).status,
  ).toBe(200);
});

it('says busy to sign-ups too, and makes nobody of whom it said so', async () => {
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, i) =>
      ask('POST', '/auth/register', { body: { username: `crowd${i}`, password } }),
    ),
  );
  const refused = answers.flatMap(({ status }, i) => (status === 503 ? [`crowd${i}`] : []));
  expect(answers.every(({ status }) => status === 201 || status === 503)).toBe(true);
  expect(refused.length).toBeGreaterThan(0);
  const again = await ask('POST', '/auth/register', { body: { username: refused[0]!, password } });
  expect(again.status).toBe(201);
});
