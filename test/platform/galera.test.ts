import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { unlinkIdentity } from '#src/federation/link';
import { isFirstUse, issueToken, spendToken } from '#src/one-time-tokens/one-time-tokens';
import { databaseStore } from '#src/platform/limits/database-store';
import { serve } from '#src/server-program';
import { RESET } from '#src/user-mail/mail-tokens';
import { driverOf } from '#src/conformance/driver';
import { runClient } from '#src/conformance/run-client';
import { sdkSessionTab, sdkTab } from '#test/support/conformance/sdk-tab';
import { drive } from '#test/support/conformance/tabs';
import { password, testEnv, testSecret } from '#test/support/app';
import { clientOf } from '#test/support/client';
import { eventually } from '#test/support/eventually';
import { galeraIsHere, startCluster } from '#test/support/galera';
import { rowsOf } from '#test/support/process';
import { rounds } from '#test/support/rounds';

if (!galeraIsHere) throw new Error('Install galera-4: the tests start a cluster of their own.');
const cluster = await startCluster();
afterAll(() => cluster.stop());

const APP_SECRET = testSecret();
const startOn = async (url: string, env: Record<string, string> = {}) => {
  const running = await serve(testEnv(url, { APP_SECRET, LOG_LEVEL: 'silent', ...env }));
  const stop = () => {
    running.server.closeAllConnections();
    return running.stop();
  };
  return { ...running, stop, ask: clientOf(running.url) };
};
/** A server on each node, over one new database. */
const startOnAll = async (env: Record<string, string> = {}) =>
  Promise.all((await cluster.emptyDatabase()).map((url) => startOn(url, env)));

const servers = await startOnAll({ API_KEYS: 'on' });
const [one, two, three] = servers as [Server, Server, Server];
afterAll(() => Promise.all(servers.map(({ stop }) => stop())));
type Server = Awaited<ReturnType<typeof startOn>>;

let made = 0;
async function register(fields: object = {}) {
  const username = `user${++made}`;
  const { status, body, text } = await one.ask('POST', '/auth/register', {
    body: { username, password, ...fields },
  });
  expect(status, text).toBe(201);
  return { id: body.user.id as string, username, body, token: body.accessToken as string };
}
const logIn = ({ ask }: Server, identifier: string, secret = password) =>
  ask('POST', '/auth/login', { body: { identifier, password: secret } });
/** The codes of those that were refused. */
const refusals = async (work: Promise<unknown>[]) =>
  (await Promise.allSettled(work)).flatMap((each) =>
    each.status === 'rejected' ? [(each.reason as { code?: string }).code] : [],
  );
const liveSessions = ({ ctx: { db, clock } }: Server, userId: string) =>
  db.Session.count({ where: { userId, ...db.Session.live(clock.date()) } });

it('lets sallyport/client pass every scenario of docs/conformance.md', async () => {
  const { url } = await drive(sdkTab, sdkSessionTab);
  const databaseUrls = await cluster.emptyDatabase();
  const verdicts = await runClient({ driver: driverOf(url), databaseUrls });
  expect(verdicts.filter(({ verdict }) => verdict !== 'passed')).toEqual([]);
}, 600_000);

describe('X-12 three servers that start at once on an empty cluster', () => {
  it('all come up, with one set of roles and keys', async () => {
    for (let round = 0; round < rounds(4, 20); round++) {
      const urls = await cluster.emptyDatabase();
      const started = await Promise.all(urls.map((url) => startOn(url, { DIALECTS: 'grokonez' })));
      const keys = await Promise.all(
        started.map(({ ask }) => ask('GET', '/.well-known/jwks.json')),
      );
      expect(new Set(keys.map(({ text }) => text)).size).toBe(1);
      for (const { auth } of started) expect(new Set(await auth.roles.list()).size).toBe(4);
      for (const { stop } of started) await stop();
    }
  });
});

it('X-12 a migration whose process died on another node is taken over after half a minute', async () => {
  const [url] = (await cluster.emptyDatabase()) as [string];
  await rowsOf(
    url,
    'CREATE TABLE migration_lock (id INT PRIMARY KEY, holder CHAR(36) NOT NULL, server VARCHAR(255) NOT NULL, beats INT NOT NULL)',
  );
  await rowsOf(url, "INSERT INTO migration_lock VALUES (1, 'dead', 'another node', 7)");
  const server = await startOn(url);
  onTestFinished(() => server.stop());
  expect((await server.ask('GET', '/readyz')).status).toBe(200);
  expect(await rowsOf(url, "SHOW TABLES LIKE 'migration_lock'")).toEqual([]);
});

describe('V-12 what must take turns does so on all nodes', () => {
  const warn = vi.spyOn(console, 'warn');
  afterAll(() => expect(warn, 'a conflict is nothing to warn of').not.toHaveBeenCalled());

  it('two admins who demote, disable and delete each other leave one', async () => {
    for (let round = 0; round < rounds(60, 600); round++) {
      const [ada, bob] = [await register(), await register()];
      for (const { id } of [ada, bob]) await one.auth.roles.grant(id, 'admin');
      const [first, second] = [
        () => one.auth.roles.revoke(ada.id, 'admin'),
        [
          () => two.auth.roles.revoke(bob.id, 'admin'),
          () => two.auth.users.disable(bob.id),
          () => two.auth.users.delete(bob.id),
        ][round % 3]!,
      ] as const;
      expect(await refusals([first(), second()]), `round ${round}`).toEqual(['last_admin']);
      const { data } = await three.auth.users.list({ limit: 100, role: 'admin' });
      expect(data.filter(({ disabledAt }) => !disabledAt)).toHaveLength(1);
      // The next round must begin with two.
      for (const { id } of data) await one.ctx.db.UserRole.destroy({ where: { userId: id } });
    }
  });

  it('nobody who signs in with the old password stays when it is changed', async () => {
    for (let round = 0; round < rounds(80, 800); round++) {
      const { id, username, token } = await register();
      const [changed, entered] = await Promise.all([
        one.ask('PUT', '/me/password', {
          token,
          body: { currentPassword: password, newPassword: 'another horse battery' },
        }),
        // Their transactions meet at some of these times, wherever the machine is slow.
        sleep(round % 16).then(() => logIn(two, username)),
      ]);
      expect(changed.status, changed.text).toBe(200);
      expect([200, 401]).toContain(entered.status);
      expect(await liveSessions(three, id), `round ${round}`).toBe(1);
      if (entered.status === 200)
        expect((await three.ask('GET', '/me', { token: entered.body.accessToken })).status).toBe(
          401,
        );
    }
  });

  it('nobody who signs in while they are disabled stays', async () => {
    for (let round = 0; round < rounds(40, 400); round++) {
      const { id, username } = await register();
      await Promise.all([one.auth.users.disable(id), logIn(two, username)]);
      expect(await liveSessions(three, id), `round ${round}`).toBe(0);
    }
  });

  it('a user who signs in everywhere at once has ten sessions', async () => {
    const { id, username } = await register();
    for (let round = 0; round < 4; round++) {
      const answers = await Promise.all(servers.map((server) => logIn(server, username)));
      for (const { status } of answers) expect([200, 503]).toContain(status);
    }
    expect(await liveSessions(three, id)).toBeLessThanOrEqual(10);
  });

  it('of two links that set a new password only the last one is good', async () => {
    for (let round = 0; round < rounds(10, 100); round++) {
      const email = `reset${round}@example.com`;
      const { id } = await register({ email });
      await Promise.all(
        [one, two].map(({ ask }) => ask('POST', '/auth/password/forgot', { body: { email } })),
      );
      expect(
        await three.ctx.db.OneTimeToken.count({ where: { userId: id, purpose: RESET } }),
      ).toBeLessThanOrEqual(1);
    }
  });

  it('nobody unlinks their last two ways in at once', async () => {
    for (let round = 0; round < rounds(20, 200); round++) {
      const { id } = await register();
      const { User, Identity } = one.ctx.db;
      await User.update({ passwordHash: null }, { where: { id } });
      const ids = [];
      for (const provider of ['a', 'b']) {
        const subject = `${id} ${provider}`;
        const row = await Identity.create({
          id: crypto.randomUUID(),
          userId: id,
          provider,
          subject,
        });
        ids.push(row.id);
      }
      const unlink = ({ ctx }: Server, which: string) => unlinkIdentity(ctx, id, which, ['a', 'b']);
      expect(await refusals([unlink(one, ids[0]!), unlink(two, ids[1]!)])).toEqual(['last_way_in']);
    }
  });

  it('no API key is made by a session that a new password ends', async () => {
    for (let round = 0; round < rounds(30, 300); round++) {
      const email = `key${round}@example.com`;
      const { id, token } = await register({ email });
      const reset = await issueToken(one.ctx, RESET, 60, { userId: id, data: email });
      const [set, key] = await Promise.all([
        one.ask('POST', '/auth/password/reset', {
          body: { token: reset, password: 'another horse battery' },
        }),
        two.ask('POST', '/me/api-keys', { token, body: { name: 'key', scopes: ['user'] } }),
      ]);
      expect(set.status, set.text).toBe(204);
      expect([201, 401]).toContain(key.status);
      expect(await three.ctx.db.ApiKey.count({ where: { userId: id } })).toBe(0);
    }
  });

  it('a limit allows as many as on one node, and a token is spent once', async () => {
    for (let round = 0; round < rounds(10, 100); round++) {
      const id = randomBytes(16).toString('hex');
      const rule = { max: 5, window: 60_000 };
      const stores = servers.map(({ ctx }) => databaseStore(ctx.db));
      const hit = (i: number) => stores[i % 3]!.hit([{ id, rule }], Date.now());
      const answers = await Promise.allSettled(Array.from({ length: 12 }, (_, i) => hit(i)));
      const counted = answers.filter(
        (answer) => answer.status === 'fulfilled' && answer.value === undefined,
      );
      expect(counted.length).toBeLessThanOrEqual(5);
      expect(counted.length, 'a conflict may be 503').toBeGreaterThan(0);
      const token = await issueToken(one.ctx, 'test', 60);
      const spent = await Promise.all(servers.map(({ ctx }) => spendToken(ctx, 'test', token)));
      expect(spent.filter((grant) => grant !== null)).toHaveLength(1);
      const first = await Promise.all(
        servers.map(({ ctx }) => isFirstUse(ctx, 'test', `jti ${round}`, 60)),
      );
      expect(first.filter(Boolean)).toHaveLength(1);
    }
  });

  it('a refresh token is exchanged once, whichever nodes are asked', async () => {
    for (let round = 0; round < rounds(20, 200); round++) {
      const { body } = await register();
      const { refreshToken } = body;
      const answers = await Promise.all(
        [one, two, three].map(({ ask }) =>
          ask('POST', '/auth/refresh', { body: { refreshToken } }),
        ),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
      expect(new Set(answers.map((answer) => answer.body.refreshToken)).size).toBe(1);
    }
  });
});

it('V-13 a sign-out binds on every other node with the next request', async () => {
  const { username } = await register();
  const late = [];
  for (let round = 0; round < rounds(200, 2000); round++) {
    const { body } = await logIn(one, username);
    const token = body.accessToken;
    expect((await two.ask('GET', '/me', { token })).status, 'a sign-in does, too').toBe(200);
    expect((await one.ask('POST', '/auth/logout', { token })).status).toBe(204);
    const { status } = await (round % 2 ? two : three).ask('GET', '/me', { token });
    if (status !== 401) late.push(round);
  }
  expect(late).toEqual([]);
});

describe('X-13 a node that has left its cluster', () => {
  const isolate = (on: boolean) =>
    cluster.nodes[2].root.query(
      `SET GLOBAL wsrep_provider_options = 'gmcast.isolate=${on ? 1 : 0}'`,
    );
  const lost = async () => {
    await isolate(true);
    onTestFinished(() => back());
    await eventually(async () => expect((await three.ask('GET', '/readyz')).status).toBe(503));
  };
  const back = async () => {
    await isolate(false);
    await eventually(async () => expect((await three.ask('GET', '/readyz')).status).toBe(200));
  };

  it('is unavailable, and comes back by itself', async () => {
    const { username, token } = await register();
    await lost();
    for (const answer of [
      await logIn(three, username),
      await three.ask('GET', '/me', { token }),
      await three.ask('POST', '/auth/register', { body: { username: 'new', password } }),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([503, 'unavailable']);
      expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    }
    expect((await logIn(one, username)).status).toBe(200);
    await back();
    // One of its connections may find out only now that it was cut.
    await eventually(async () => expect((await logIn(three, username)).status).toBe(200));
  });

  it('is waited for by a server that starts', async () => {
    await lost();
    const starting = startOn(three.ctx.settings.databaseUrl, { DATABASE_WAIT: '30' });
    setTimeout(() => void isolate(false), 3000);
    const late = await starting;
    onTestFinished(() => late.stop());
    expect((await late.ask('GET', '/readyz')).status).toBe(200);
  });
});
