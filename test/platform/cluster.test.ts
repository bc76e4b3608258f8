import { afterAll, describe, expect, it, onTestFinished } from 'vitest';
import { issueToken } from '#src/one-time-tokens/one-time-tokens';
import { RESET } from '#src/user-mail/mail-tokens';
import { expectConsistent, password } from '#test/support/app';
import { statusesOf } from '#test/support/client';
import { killUnderLoad, startServers } from '#test/support/cluster-scenario';
import { eventually } from '#test/support/eventually';
import { galeraIsHere, startCluster } from '#test/support/galera';
import { freePort } from '#test/support/mysql';
import { node } from '#test/support/node';
import { redisIsHere, redisOn } from '#test/support/redis';
import { rounds } from '#test/support/rounds';

if (!galeraIsHere) throw new Error('Install galera-4: the tests start a cluster of their own.');
const cluster = await startCluster();
afterAll(() => cluster.stop());

const patient = { timeout: 600_000 };

// First, because its servers start with the file, and the other tests kill what they depend on.
describe.runIf(redisIsHere)('X-19 three servers that are asked at once', patient, async () => {
  if (!redisIsHere) return;
  const redis = redisOn(await freePort());
  await redis.start();
  const { servers, settings, urls } = await startServers(cluster, {
    LIMITS: 'on',
    TRUST_PROXY: '1',
    REDIS_URL: redis.url,
  });
  afterAll(() => Promise.all(servers.map(({ kill }) => kill())));
  let addresses = 0;
  const from = (address = ++addresses) => ({
    headers: { 'x-forwarded-for': `198.51.${100 + Math.floor(address / 250)}.${address % 250}` },
  });
  const everywhere = <T>(ask: (server: (typeof servers)[number]) => Promise<T>) =>
    Promise.all(servers.map(ask));
  const here = async () => (await node({ ...settings, DATABASE_URL: urls[0]! })).ctx;
  const signUp = (fields: object, server = servers[0]) =>
    server.ask('POST', '/auth/register', { body: { password, ...fields }, ...from() });

  it('make one user of a name, exchange a refresh token once, and set one of two passwords', async () => {
    const ctx = await here();
    for (let round = 0; round < rounds(6, 200); round++) {
      const username = `burst${round}`;
      const email = `${username}@example.com`;
      const made = await everywhere((server) => signUp({ username, email }, server));
      expect(statusesOf(made)).toEqual([201, 409, 409]);
      const { user, refreshToken } = made.find(({ status }) => status === 201)!.body;

      const refreshed = await everywhere(({ ask }) =>
        ask('POST', '/auth/refresh', { body: { refreshToken }, ...from() }),
      );
      expect(statusesOf(refreshed)).toEqual([200, 200, 200]);
      expect(new Set(refreshed.map(({ body }) => body.refreshToken)).size).toBe(1);

      const token = await issueToken(ctx, RESET, 60, { userId: user.id, data: email });
      const passwords = servers.map((_, i) => `another horse ${round} ${i}`);
      const reset = await Promise.all(
        servers.map(({ ask }, i) =>
          ask('POST', '/auth/password/reset', {
            body: { token, password: passwords[i] },
            ...from(),
          }),
        ),
      );
      expect(statusesOf(reset)).toEqual([204, 400, 400]);
      const entered = await Promise.all(
        passwords.map((secret, i) =>
          servers[i]!.ask('POST', '/auth/login', {
            body: { identifier: username, password: secret },
            ...from(),
          }),
        ),
      );
      expect(entered.map(({ status }) => status === 200)).toEqual(
        reset.map(({ status }) => status === 204),
      );
      const gone = entered.find(({ status }) => status === 200)!.body.accessToken as string;
      const deleted = await everywhere(({ ask }) =>
        ask('DELETE', '/me', { token: gone, body: { confirm: 'delete' }, ...from() }),
      );
      expect(statusesOf(deleted)).toEqual([204, 401, 401]);
      await eventually(() => expectConsistent(ctx.db)); // a node may close a connection and be back
    }
  });

  it('count guesses together: 30 from one address, whichever server is asked', async () => {
    for (let round = 0; round < rounds(1, 20); round++) {
      const address = from(10_000 + round);
      const guesses = await Promise.all(
        Array.from({ length: 42 }, (_, i) =>
          servers[i % 3]!.ask('POST', '/auth/login', {
            body: { identifier: `nobody${round}x${i}`, password: 'a guess' },
            ...address,
          }),
        ),
      );
      const answered = (status: number) => guesses.filter((each) => each.status === status).length;
      expect(answered(401) + answered(503)).toBeLessThanOrEqual(30);
      expect(answered(429)).toBeGreaterThanOrEqual(12);
    }
  });
});

describe('X-02 three servers, when a database node is killed under load', patient, () => {
  it.each([
    ['the node of a server that knows the others: it moves on', 0, 3],
    ['the node of a server that knows no other: it is 503 until the node is back', 2, 2],
  ])('%s, and nothing acknowledged is lost', async (_, killed, ready) => {
    const running = await startServers(cluster, {}, { lonely: true });
    for (let round = 0; round < rounds(1, 10); round++)
      await killUnderLoad(cluster, running, killed, running.servers.slice(0, ready));
  });

  it('a server whose only database node is dead is not ready, and the others are', async () => {
    const { servers } = await startServers(cluster, {}, { lonely: true });
    await cluster.kill(2);
    onTestFinished(() => cluster.start(2));
    const readiness = () => Promise.all(servers.map(({ ask }) => ask('GET', '/readyz')));
    await eventually(async () =>
      expect((await readiness()).map(({ status }) => status)).toEqual([200, 200, 503]),
    );
    expect((await servers[2].ask('GET', '/livez')).status).toBe(200);
  });

  it('a server moves on from a node that has lost the others, and leaves no connection there', async () => {
    const { servers, urls } = await startServers(cluster);
    const [, two] = servers;
    const isolate = (on: number) =>
      cluster.nodes[1].root.query(`SET GLOBAL wsrep_provider_options = 'gmcast.isolate=${on}'`);
    const connections = async () => {
      const [rows] = await cluster.nodes[1].root.query(
        'SELECT COUNT(*) AS n FROM information_schema.processlist WHERE db = ?',
        [new URL(urls[1]!).pathname.slice(1)],
      );
      return Number((rows as { n: unknown }[])[0]!.n);
    };
    expect((await two.ask('GET', '/readyz')).status).toBe(200);
    expect(await connections()).toBeGreaterThan(0);
    await isolate(1);
    onTestFinished(async () => {
      await isolate(0);
      await eventually(async () =>
        expect((await servers[1].ask('GET', '/readyz')).status).toBe(200),
      );
    });
    const body = { username: 'ada', password };
    await eventually(async () =>
      expect((await two.ask('POST', '/auth/register', { body })).status).toBe(201),
    );
    await eventually(async () => expect(await connections()).toBe(0), 100);
  });
});
