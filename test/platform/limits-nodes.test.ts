import { afterAll, describe, expect, it } from 'vitest';
import { createClient } from '@redis/client';
import { password } from '#test/support/app';
import { eventually } from '#test/support/eventually';
import { startLimited, times } from '#test/support/limited';
import { freePort } from '#test/support/mysql';
import { settingsFor, startProcess } from '#test/support/process';
import { redisIsHere, redisOn } from '#test/support/redis';

const port = await freePort();
const REDIS_URL = `redis://127.0.0.1:${port}`;
const here = await startLimited({ REDIS_URL });
const { databaseUrl, from, member, unused, unusedName, Limit, User } = here;
const { APP_SECRET } = here.env;
const settings = settingsFor(databaseUrl, {
  APP_SECRET,
  REDIS_URL,
  LIMITS: 'on',
  TRUST_PROXY: '1',
});
const others = await Promise.all([startProcess(settings), startProcess(settings)]);
afterAll(async () => {
  for (const node of others) await node.kill();
});
const nodes = [here, ...others];
const nodeFor = (i: number) => nodes[i % nodes.length]!;

const logIn = (i: number, ip: string, identifier = unusedName(), secret = 'a guess') =>
  nodeFor(i).ask('POST', '/auth/login', { body: { identifier, password: secret }, ...from(ip) });
/**
 * Sends `n` requests at once, to all nodes in turn, and expects `limit` of them to pass. A 503 from a busy node is sent
 * again. It may have been counted, so for each 503 one request less may pass.
 */
async function expectPassed(
  limit: number,
  n: number,
  ask: (i: number) => Promise<{ status: number }>,
): Promise<number> {
  let busy = 0;
  const told = async (i: number) => {
    for (;;) {
      const { status } = await ask(i);
      if (status !== 503) return status;
      busy++;
    }
  };
  const statuses = await Promise.all(Array.from({ length: n }, (_, i) => told(i)));
  const passed = statuses.filter((status) => status !== 429).length;
  expect(passed).toBeLessThanOrEqual(limit);
  expect(passed).toBeGreaterThanOrEqual(Math.max(0, limit - busy));
  return passed;
}

/** Holds for every store: all nodes together have one limit. */
async function expectOneLimit(): Promise<void> {
  const ip = unused();
  await expectPassed(30, 45, (i) => logIn(i, ip));
  await expectPassed(0, 3, (i) => logIn(i, ip));

  const home = unused();
  const users = await User.count();
  const signUp = (i: number) =>
    nodeFor(i).ask('POST', '/auth/register', {
      body: { username: unusedName(), password },
      ...from(home),
    });
  const made = await expectPassed(10, 15, signUp);
  expect(await User.count()).toBe(users + made);

  const { tokens } = await member();
  const { refreshToken } = tokens;
  await expectPassed(30, 36, (i) =>
    nodeFor(i).ask('POST', '/auth/refresh', { body: { refreshToken }, ...from(unused()) }),
  );

  for (let within = false; !within;) {
    const ada = await member();
    await times(9, (i) => logIn(i, unused(), ada.username));
    const start = performance.now();
    await logIn(0, unused(), ada.username);
    const locked = await times(2, (i) => logIn(i, unused(), ada.username, password));
    // The tenth failure locks strangers out for one second. Later answers say nothing.
    within = performance.now() - start < 1000;
    if (within) expect(locked.map(({ status }) => status)).toEqual([401, 401]);
    expect((await logIn(1, ada.ip, ada.username, password)).status).toBe(200);
  }
}

it('three nodes start without the Redis that they are to use, and share the limits in the database', async () => {
  await expectOneLimit();
  expect(await Limit.count()).toBeGreaterThan(0);
});

describe.runIf(redisIsHere)('three nodes and a Redis', () => {
  const redis = redisOn(port);
  const inRedis = async () => {
    const client = await createClient({ url: REDIS_URL, RESP: 2 })
      .on('error', () => {})
      .connect();
    const count = await client.dbSize();
    client.destroy();
    return count;
  };
  /** Waits until all nodes count in Redis again. */
  const comesBack = () =>
    eventually(async () => {
      for (let i = 0; i < nodes.length; i++) {
        const before = await Limit.count();
        await logIn(i, unused());
        expect(await Limit.count()).toBe(before);
      }
    }, 200); // a pause, because each try counts among all sign-ins of a minute

  it('find it when it comes, and share the limits there: the database counts no more', async () => {
    await redis.start();
    await comesBack();
    const before = await Limit.count();
    await expectOneLimit();
    expect(await Limit.count()).toBe(before);
    expect(await inRedis()).toBeGreaterThan(20);
  });

  it('store neither names nor addresses there, and nothing for ever', async () => {
    const client = await createClient({ url: REDIS_URL, RESP: 2 })
      .on('error', () => {})
      .connect();
    const keys = await client.keys('*');
    for (const key of keys) expect(key).toMatch(/^sallyport:limit:([\da-f]{32}|probe)$/);
    for (const key of keys.slice(0, 20)) expect(await client.pTTL(key)).toBeGreaterThan(0);
    client.destroy();
  });

  it('go on in the database when it dies, with one limit for all, and return to it', async () => {
    await redis.kill();
    await expectOneLimit();
    await redis.start();
    await comesBack();
  });

  it('go on in the database while it is frozen, and nobody waits for long', async () => {
    redis.freeze();
    const ip = unused();
    await expectPassed(30, 36, (i) => logIn(i, ip));
    redis.thaw();
    await comesBack();
  });
});
