import { createClient } from '@redis/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '#test/support/eventually';
import { startLimited, statuses, times } from '#test/support/limited';
import { freePort } from '#test/support/mysql';
import { redisIsHere, redisOn } from '#test/support/redis';

/** What an operator, or a failover, says to the Redis that counts. */
type Command = readonly string[];

describe.runIf(redisIsHere)('a Redis that answers, and takes no writes', async () => {
  if (!redisIsHere) return;
  const [port, otherPort] = [await freePort(), await freePort()];
  const [redis, other] = [redisOn(port), redisOn(otherPort)];
  await redis.start();
  await other.start();
  const { logIn, unused, Limit } = await startLimited({ REDIS_URL: redis.url });

  const admin = createClient({ url: redis.url, RESP: 2 });
  beforeAll(async () => void (await admin.connect()));
  afterAll(() => admin.destroy());
  const say = async (commands: readonly Command[]) => {
    for (const command of commands) await admin.sendCommand([...command]);
  };
  /** True if the next sign-in is counted in the database. */
  const isInDatabase = async () => {
    const before = await Limit.count();
    expect((await logIn(unused())).status).toBe(401);
    return (await Limit.count()) > before;
  };
  const comesBack = () => eventually(async () => expect(await isInDatabase()).toBe(false), 200);

  it.each<[string, readonly Command[], readonly Command[]]>([
    [
      'it became a replica after a failover (READONLY)',
      [['REPLICAOF', '127.0.0.1', String(otherPort)]],
      [['REPLICAOF', 'NO', 'ONE']],
    ],
    [
      'it is a replica that has lost its master (MASTERDOWN)',
      [
        ['CONFIG', 'SET', 'replica-serve-stale-data', 'no'],
        ['REPLICAOF', '127.0.0.1', '1'],
      ],
      [
        ['REPLICAOF', 'NO', 'ONE'],
        ['CONFIG', 'SET', 'replica-serve-stale-data', 'yes'],
      ],
    ],
    [
      'its replicas are gone (NOREPLICAS)',
      [['CONFIG', 'SET', 'min-replicas-to-write', '1']],
      [['CONFIG', 'SET', 'min-replicas-to-write', '0']],
    ],
    [
      'its memory is full (OOM)',
      [['CONFIG', 'SET', 'maxmemory', '1']],
      [['CONFIG', 'SET', 'maxmemory', '0']],
    ],
    [
      'it wants a password (NOAUTH)',
      [
        ['CONFIG', 'SET', 'requirepass', 'another password'],
        ['CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes'],
      ],
      [['CONFIG', 'SET', 'requirepass', '']],
    ],
    [
      'our user may not write (NOPERM)',
      [['ACL', 'SETUSER', 'default', '-eval']],
      [['ACL', 'SETUSER', 'default', '+eval']],
    ],
  ])(
    '%s: it is left at once, the database counts, and it is found again',
    async (_name, fault, mend) => {
      await comesBack();
      await say(fault);
      const ip = unused();
      expect(statuses(await times(30, () => logIn(ip)))).toEqual([401]);
      expect((await logIn(ip)).status).toBe(429);
      await eventually(async () => expect(await isInDatabase()).toBe(true));
      await say(mend);
      await comesBack();
    },
  );

  it('is not asked by any request meanwhile', async () => {
    await comesBack();
    await say([['REPLICAOF', '127.0.0.1', String(otherPort)]]);
    await logIn(unused());
    await say([['CONFIG', 'RESETSTAT']]);
    const start = performance.now();
    await times(40, () => logIn(unused()));
    const seconds = (performance.now() - start) / 1000;
    const stats = await admin.info('commandstats');
    const asked = Number(/cmdstat_eval:calls=(\d+)/.exec(stats)?.[1] ?? 0);
    expect(asked).toBeLessThanOrEqual(seconds + 2); // one a second looks whether it takes writes
    await say([['REPLICAOF', 'NO', 'ONE']]);
    await comesBack();
  });
});
