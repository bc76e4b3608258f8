import { setTimeout as sleep } from 'node:timers/promises';
import bcrypt from 'bcrypt';
import { expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { engine } from '#test/support/database';

// A file of its own: here hashing costs what it costs.
const COST = 10;
const { ask, register } = await startApp({ BCRYPT_COST: String(COST) });
const { hashPassword, passwordMatches } = await import('#src/core/passwords');

/** Other work on the machine can only add to a time. */
const least = (times: number[]) => Math.min(...times);

// About bcrypt alone: once is enough. A comparison that is left out or cheap is a sixteenth of the time or less, so the bounds
// may be wide: how many comparisons of what cost there are is counted in passwords.test.ts.
it.runIf(engine === 'sqlite')('takes the same time for no user, a wrong password, a cheaper hash and a long password (L-02)', async () => {
  const cases: Record<string, [plain: string, hash: string | null]> = {
    nobody: ['not the password', null],
    wrong: ['not the password', await hashPassword(password)],
    cheaper: ['not the password', bcrypt.hashSync(password, 6)],
    foreign: ['not the password', '{SSHA}of another system'],
    longForNobody: ['n'.repeat(1000), null],
    longAndWrong: ['n'.repeat(1000), await hashPassword(password.repeat(10))],
  };
  const times: Record<string, number[]> = Object.fromEntries(Object.keys(cases).map((name) => [name, []]));
  for (let round = 0; round < 9; round++)
    for (const [name, [plain, hash]] of Object.entries(cases)) {
      const start = performance.now();
      expect(await passwordMatches(plain, hash)).toBe(false);
      times[name]!.push(performance.now() - start);
    }
  const wrong = least(times['wrong']!);
  for (const [name, list] of Object.entries(times)) {
    expect(least(list) / wrong, name).toBeGreaterThan(0.2);
    expect(least(list) / wrong, name).toBeLessThan(5);
  }
});

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
  // Nine right ones: with an eleventh session the first, which is watched, would give way.
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      ask('POST', '/auth/login', {
        body: { identifier: i % 2 ? ada.username : 'nobody', password: i % 12 === 1 ? password : 'wrong one' },
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
    expect(body).toMatchObject({ code: 'busy', action: 'wait' });
    expect(headers.get('retry-after')).toBe('1');
  }
  expect(Math.max(...delays)).toBeLessThan(3000); // all hundred, one after the other, take twice as long
  expect((await ask('POST', '/auth/login', { body: { identifier: ada.username, password } })).status).toBe(200);
});

it('says busy to sign-ups too, and makes nobody of whom it said so', async () => {
  const answers = await Promise.all(
    Array.from({ length: 60 }, (_, i) => ask('POST', '/auth/register', { body: { username: `crowd${i}`, password } })),
  );
  const refused = answers.flatMap(({ status }, i) => (status === 503 ? [`crowd${i}`] : []));
  expect(answers.every(({ status }) => status === 201 || status === 503)).toBe(true);
  expect(refused.length).toBeGreaterThan(0);
  const again = await ask('POST', '/auth/register', { body: { username: refused[0]!, password } });
  expect(again.status).toBe(201);
});
