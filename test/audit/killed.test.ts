import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { verifyAudit } from '#src/audit/verify';
import { openContext } from '#src/open-context';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { password } from '#test/support/app';
import { chaosProxy } from '#test/support/chaos-proxy';
import { clientOf } from '#test/support/client';
import { emptyDatabase, engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { rowsOf, settingsFor, startProcess } from '#test/support/process';
import { rounds } from '#test/support/rounds';

const CLIENTS = 6;
let made = 0;

/** Clients that register, sign in, change things and sign out until they are stopped. */
function load(url: string) {
  const ask = clientOf(url, { untimed: true });
  const state = { isOver: false, done: 0 };
  const did = async (...[method, path, question]: Parameters<typeof ask>) => {
    const answer = await ask(method, path, question).catch(() => undefined);
    if (answer && answer.status < 500) state.done++;
    return answer;
  };
  async function live(): Promise<void> {
    while (!state.isOver) {
      const username = `user${++made}`;
      const registered = await did('POST', '/auth/register', { body: { username, password } });
      if (registered?.status !== 201) {
        await sleep(10);
        continue;
      }
      const { accessToken: token, refreshToken } = registered.body;
      await did('PATCH', '/me', { token, body: { name: username } });
      const wrong = { identifier: username, password: 'a wrong password' };
      await did('POST', '/auth/login', { body: wrong });
      await did('POST', '/auth/login', { body: { identifier: username, password } });
      await did('POST', '/auth/logout', { body: { refreshToken, scope: 'all' } });
    }
  }
  const living = Promise.all(Array.from({ length: CLIENTS }, live));
  return {
    done: () => state.done,
    stop: async () => {
      state.isOver = true;
      await living;
    },
  };
}

/** What is in the tables, and what the trail says of it. They must be the same. */
async function expectSame(databaseUrl: string): Promise<void> {
  const ids = async (sql: string) =>
    (await rowsOf(databaseUrl, sql)).map(({ id }) => String(id)).sort();
  const entries = (column: string, type: string) =>
    ids(`SELECT ${column} AS id FROM audit_entries WHERE type = '${type}'`);
  expect(await entries('session_id', 'session.started')).toEqual(
    await ids('SELECT id FROM sessions'),
  );
  expect(await entries('session_id', 'session.ended')).toEqual(
    await ids('SELECT id FROM sessions WHERE ended_at IS NOT NULL'),
  );
  expect(await entries('subject', 'user.registered')).toEqual(await ids('SELECT id FROM users'));
  expect([...new Set(await entries('subject', 'user.updated'))]).toEqual(
    await ids('SELECT id FROM users WHERE name IS NOT NULL'),
  );
}

/** Another process on the same database seals what is left, and verifies all. */
async function expectVerified(env: Record<string, string | undefined>): Promise<void> {
  const ctx = await openContext(parseSettings(settingsFrom(env)));
  try {
    const { faults, entries, lastSeq } = await verifyAudit(ctx);
    expect(faults).toEqual([]);
    expect(entries).toBeGreaterThanOrEqual(lastSeq);
  } finally {
    await ctx.close();
  }
}

it('a server that is killed leaves no change without its entry, and no entry without its change (T-02)', async () => {
  const databaseUrl = await emptyDatabase();
  const env = settingsFor(databaseUrl);
  const many = rounds(3, 40);
  for (let round = 0; round < many; round++) {
    const server = await startProcess(env);
    const { done, stop } = load(server.url);
    const enough = 20 + Math.random() * 60;
    await eventually(() => expect(done()).toBeGreaterThan(enough));
    await server.kill();
    await stop();
    await expectSame(databaseUrl);
  }
  await expectVerified(env);
  const server = await startProcess(env);
  await eventually(async () =>
    expect(await rowsOf(databaseUrl, 'SELECT id FROM audit_entries WHERE seq IS NULL')).toEqual([]),
  );
  await server.kill();
  await expectVerified(env);
  await expectSame(databaseUrl);
});

it.skipIf(engine === 'sqlite')(
  'a database that is lost at any moment, also at COMMIT, leaves both or neither (T-02)',
  async () => {
    const databaseUrl = await emptyDatabase();
    const target = new URL(databaseUrl);
    const proxy = await chaosProxy(Number(target.port || 3306));
    afterAll(() => proxy.close());
    const through = new URL(databaseUrl);
    [through.hostname, through.port] = ['127.0.0.1', String(proxy.port)];
    const env = settingsFor(through.href);
    const server = await startProcess(env);
    const { done, stop } = load(server.url);
    for (let i = 0; i < rounds(25, 250); i++) {
      const before = done();
      await eventually(() => expect(done()).toBeGreaterThan(before));
      await sleep(Math.random() * 20);
      proxy.reset();
    }
    await stop();
    await server.kill();
    await eventually(() => expectSame(databaseUrl));
    await expectVerified({ ...env, DATABASE_URL: databaseUrl });
  },
);
