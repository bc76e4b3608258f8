import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import bcrypt from 'bcrypt';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createHashingQueue } from '#src/platform/crypto/hashing-queue';
import { createRequestContext } from '#src/platform/request-context';
import { startApp } from '#test/support/app';
import { statementsOf } from '#test/support/statements';

const { ctx, ask, logIn, register } = await startApp({ LIMITS: 'on' });
/** How many hash at once, and how many are let in in all. */
const running = Math.max(1, Math.min(availableParallelism(), ctx.settings.uvThreadpoolSize - 2));
const places = running * 11;

afterEach(() => void vi.restoreAllMocks());

/** Jobs that end when they are told to. */
function jobs() {
  const started: (() => void)[] = [];
  const work = () => new Promise<void>((resolve) => void started.push(resolve));
  return { started, work };
}
const turnOfTheLoop = () => new Promise((resolve) => void setImmediate(resolve));

describe('the queue for hashes', () => {
  it('refuses at once what is one too many, while nothing of what it holds has ended', async () => {
    const inTurn = createHashingQueue(ctx.settings, createRequestContext());
    const { started, work } = jobs();
    const counted = { ended: 0 };
    const held = Array.from({ length: places }, () => inTurn(work).then(() => counted.ended++));
    await expect(inTurn(work)).rejects.toMatchObject({
      status: 503,
      code: 'busy',
      headers: { 'Retry-After': '1' },
    });
    expect([started.length, counted.ended]).toEqual([running, 0]);
    while (counted.ended < places) {
      expect(started.length).toBeLessThanOrEqual(counted.ended + running);
      started[counted.ended]!();
      await turnOfTheLoop();
    }
    await Promise.all(held);
    const again = inTurn(work);
    await turnOfTheLoop();
    started.at(-1)!();
    await again;
  });

  it('refuses at once what would wait too long, as long as hashes have taken of late', async () => {
    const clock = vi.spyOn(performance, 'now');
    let now = 0;
    clock.mockImplementation(() => now);
    const inTurn = createHashingQueue(ctx.settings, createRequestContext());
    const { started, work } = jobs();
    /** Jobs that take a second each. */
    const run = async () => {
      const job = inTurn(work);
      await turnOfTheLoop();
      now += 1000;
      started.at(-1)!();
      await job;
    };
    for (let i = 0; i < 20; i++) await run();
    // A job takes a second, nearly. Whoever stands behind more than one round waits for more than a second and a half.
    const counted = { ended: 0 };
    const more = Array.from({ length: 2 * running + 1 }, () => inTurn(work));
    const held = more.map((job) => job.then(() => counted.ended++));
    await expect(inTurn(work)).rejects.toMatchObject({ status: 503, code: 'busy' });
    expect(counted.ended).toBe(0);
    while (counted.ended < held.length) {
      for (const end of started.splice(0)) end();
      await turnOfTheLoop();
    }
    await run(); // an empty queue refuses nothing
  });
});

it('a sign-in beyond the queue hears 503 with Retry-After, and the others come in', async () => {
  const ada = await register();
  const compare = bcrypt.compare.bind(bcrypt) as (...args: unknown[]) => Promise<boolean>;
  const { started, work } = jobs();
  vi.spyOn(bcrypt, 'compare').mockImplementation((async (...args: unknown[]) => {
    await work();
    return compare(...args);
  }) as never);
  const held = Array.from({ length: places }, () => ctx.passwords.matches('a guess', null));
  const statements = statementsOf(ctx.db.sequelize);
  const refused = await logIn(ada.username);
  expect(statements).toEqual([]); // a server that is busy does nothing for who is refused
  expect([refused.status, refused.body.code, refused.headers.get('retry-after')]).toEqual([
    503,
    'busy',
    '1',
  ]);
  expect(started.length).toBe(running);
  expect((await ask('GET', '/me', { token: ada.token })).status).toBe(200);
  vi.restoreAllMocks();
  for (const end of started) end();
  await Promise.all(held);
  expect((await logIn(ada.username)).status).toBe(200);
});

it('leaves threads to files: one is read while as many hash as may', async () => {
  const hash = await bcrypt.hash('a password', 4);
  const slow = hash.replace('$04$', '$12$');
  const order: string[] = [];
  const inTurn = createHashingQueue(ctx.settings, createRequestContext());
  const hashes = Array.from({ length: 4 * running }, () =>
    inTurn(() => bcrypt.compare('a password', slow)).then(() => order.push('hash')),
  );
  const settled = Promise.allSettled(hashes); // the last may wait too long
  await turnOfTheLoop(); // they have begun
  await readFile(import.meta.filename).then(() => order.push('file'));
  await settled;
  expect(order[0]).toBe('file');
});
