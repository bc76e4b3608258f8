import * as fc from 'fast-check';
import { createConnection } from 'mysql2/promise';
import { v7 as uuid } from 'uuid';
import { beforeEach, describe, expect, it } from 'vitest';
import { signAccessToken } from '#src/sessions/access-tokens';
import { findSessionWithUser } from '#src/sessions/find-session';
import { startApp } from '#test/support/app';
import { engine } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { rounds } from '#test/support/rounds';
import { statementsOf } from '#test/support/statements';

const app = await startApp({ API_KEYS: 'on' });
const { ctx, ask, databaseUrl, register, Session, User } = app;
const statements = statementsOf(User.sequelize, (sql) =>
  /^SELECT.*FROM (sessions s|api_keys k) JOIN/.test(sql.replace(/^Executing \(.*?\): /, '')),
);
beforeEach(() => {
  statements.length = 0;
});

const many = async (count: number) => {
  const users = [];
  while (users.length < count) users.push(await register());
  return users;
};
/** Access tokens of new sessions of a user. */
async function tokensOf({ id: userId }: { id: string }, count: number): Promise<string[]> {
  const expiresAt = new Date(Date.now() + 3_600_000);
  const row = () => ({ id: uuid(), userId, strategy: 'local', expiresAt, lastSeenAt: new Date() });
  const sessions = await Session.bulkCreate(Array.from({ length: count }, row));
  return sessions.map((session) => signAccessToken(ctx, session));
}
const statusOf = async (token: string) => (await ask('GET', '/me', { token })).status;
/** A session of a user, as a row. */
const sessionOf = (userId: string) => Session.findOne({ where: { userId }, rejectOnEmpty: true });

type Hooks = Record<'addHook' | 'removeHook', (...args: unknown[]) => void>;
const hooks = User.sequelize as unknown as Hooks;
/** Reads of sessions get their rows, and then wait until `letGo`. */
function holdReads() {
  const [done, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  hooks.addHook('afterQuery', 'hold', (_options: unknown, { sql }: { sql: string }) => {
    if (!sql.includes('FROM sessions s JOIN')) return;
    done.resolve();
    return held.promise;
  });
  const stop = () => hooks.removeHook('afterQuery', 'hold');
  return { done: done.promise, stop, letGo: held.resolve };
}

describe('requests that arrive together', () => {
  it('share a handful of statements, and each gets its own answer', async () => {
    const users = await many(5);
    const tokens = (await Promise.all(users.map((user) => tokensOf(user, 10)))).flat();
    const all = () => Promise.all(tokens.map((token) => ask('GET', '/me', { token })));
    // The first round opens the connections. On a busy machine some of a round may come late.
    await eventually(async () => {
      await User.update({ name: uuid() }, { where: {} }); // no cache is current any more
      statements.length = 0;
      const answers = await all();
      expect(answers.map(({ body }) => body.id)).toEqual(
        users.flatMap(({ id }) => Array.from({ length: 10 }, () => id)),
      );
      expect(statements.length).toBeLessThanOrEqual(5);
    });
    expect(statements.length).toBeGreaterThan(0);
  });

  it('share one statement if they arrive in one turn', async () => {
    const users = await many(5);
    const ids = await Promise.all(users.map(async ({ id }) => (await sessionOf(id)).id));
    statements.length = 0;
    const found = await Promise.all(
      [...ids, ...ids, uuid()].map((id) => findSessionWithUser(ctx, id)),
    );
    expect(found.map((each) => each?.session.id)).toEqual([...ids, ...ids, undefined]);
    expect(statements).toHaveLength(1);
    // Each caller may change what it got.
    expect(found[0]).not.toBe(found[5]);
    expect(found[0]!.session).not.toBe(found[5]!.session);
  });

  it('send few different texts, however many they are', async () => {
    const counts = [1, 2, 3, 4, 5, 9, 16, 17, 40, 64, 65, 100, 300];
    for (const count of counts)
      await Promise.all(Array.from({ length: count }, () => findSessionWithUser(ctx, uuid())));
    expect(new Set(statements).size).toBeLessThanOrEqual(4);
    const needed = counts.reduce((sum, count) => sum + Math.ceil(count / 64), 0);
    expect(statements).toHaveLength(needed);
  });

  it('share a statement if they have API keys', async () => {
    const ada = await register();
    const keys = await Promise.all(
      Array.from({ length: 8 }, async (_, i) => {
        const body = { name: `key ${i}`, scopes: ['user'] };
        return (await ada.ask('POST', '/me/api-keys', { body })).body.key as string;
      }),
    );
    statements.length = 0;
    const headers = (key: string) => ({ headers: { 'x-api-key': key } });
    const answers = await Promise.all(keys.map((key) => ask('GET', '/me', headers(key))));
    expect(answers.map(({ status, body }) => [status, body.id])).toEqual(
      keys.map(() => [200, ada.id]),
    );
    expect(statements.length).toBeLessThan(8);
  });
});

it('a request that is alone costs one statement and waits for nobody', async () => {
  const ada = await register();
  statements.length = 0;
  expect(await statusOf(ada.token)).toBe(200);
  expect(statements).toHaveLength(1);
});

describe('V-01 a read never begins before its request arrived', () => {
  it('even when one of the same session is under way that began before the sign-out', async () => {
    const [ada, eve] = await many(2);
    const reads = holdReads();
    const early = statusOf(ada!.token);
    await reads.done;
    // The read is held on this side of the database. What it has read is out of date from here on.
    await Session.update({ endedAt: new Date() }, { where: { userId: ada!.id } });
    const late = [statusOf(ada!.token), statusOf(eve!.token)];
    await eventually(() => expect(statements.length).toBeGreaterThan(1));
    reads.stop();
    reads.letGo();
    expect(await early).toBe(200);
    expect(await Promise.all(late)).toEqual([401, 200]);
  });

  it('so nobody is let in after a sign-out was acknowledged, however many ask meanwhile', async () => {
    const ada = await register();
    const plan = fc.record({ before: fc.nat(8), after: fc.integer({ min: 1, max: 8 }) });
    await fc.assert(
      fc.asyncProperty(fc.array(plan, { minLength: 2, maxLength: 6 }), async (plans) => {
        const tokens = await tokensOf(ada, plans.length);
        const leave = async (token: string, { before, after }: (typeof plans)[number]) => {
          const early = Array.from({ length: before }, () => statusOf(token));
          expect((await ask('POST', '/auth/logout', { token })).status).toBe(204);
          const late = await Promise.all(Array.from({ length: after }, () => statusOf(token)));
          return { early: await Promise.all(early), late };
        };
        for (const each of await Promise.all(plans.map((how, i) => leave(tokens[i]!, how)))) {
          expect(new Set(each.late)).toEqual(new Set([401]));
          expect(each.early.filter((status) => status !== 200 && status !== 401)).toEqual([]);
        }
      }),
      { numRuns: rounds(5, 300) },
    );
  });
});

describe('a transaction', () => {
  it('reads in itself, and never together with others', async () => {
    const [ada, eve] = await many(2);
    const { id } = await sessionOf(ada!.id);
    const other = await sessionOf(eve!.id);
    const outside = () => ask('GET', '/me', { token: ada!.token });
    await ctx.db
      .transaction(async () => {
        await User.update({ name: 'uncommitted' }, { where: { id: ada!.id } });
        const asked = [outside(), outside()];
        const [found, untouched] = await Promise.all([
          findSessionWithUser(ctx, id),
          findSessionWithUser(ctx, other.id),
        ]);
        expect([found!.user.name, untouched!.user.name]).toEqual(['uncommitted', null]);
        for (const { body } of await Promise.all(asked)) expect(body.name).toBe(null);
        throw new Error('on purpose');
      })
      .catch((error: Error) => expect(error.message).toBe('on purpose'));
    expect((await findSessionWithUser(ctx, id))!.user.name).toBe(null);
  });
});

describe.runIf(engine === 'mysql')('X-02 a statement that fails', () => {
  it('fails those who share it with 503, and nobody else', async () => {
    const [ada, bob, eve] = await many(3);
    const other = await createConnection(databaseUrl);
    const waiting = async () => {
      const [rows] = await other.query(
        "SELECT id, info FROM information_schema.processlist WHERE info LIKE 'SELECT s.id%' AND state LIKE '%lock%'",
      );
      return rows as { id: number }[];
    };
    await other.query('LOCK TABLES sessions WRITE, users WRITE, user_roles WRITE, roles WRITE');
    try {
      const first = [ask('GET', '/me', { token: ada!.token })];
      await eventually(async () => expect(await waiting()).toHaveLength(1));
      const [doomed] = await waiting();
      const second = [bob!, eve!].map(({ token }) => ask('GET', '/me', { token }));
      await eventually(async () => expect((await waiting()).length).toBeGreaterThan(1));
      await other.query(`KILL ${doomed!.id}`);
      const [failed] = await Promise.all(first);
      expect([failed!.status, failed!.body.code]).toEqual([503, 'unavailable']);
      expect(failed!.headers.get('retry-after')).toMatch(/^\d+$/);
      await other.query('UNLOCK TABLES');
      expect((await Promise.all(second)).map(({ status }) => status)).toEqual([200, 200]);
      expect(await statusOf(ada!.token)).toBe(200);
    } finally {
      await other.end();
    }
  });
});
