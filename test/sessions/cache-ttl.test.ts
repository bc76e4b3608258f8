import * as fc from 'fast-check';
import { v7 as uuid } from 'uuid';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { grantRole, revokeRole } from '#src/access/roles';
import { signAccessToken } from '#src/sessions/access-tokens';
import { resumeSession } from '#src/sessions/resume';
import { startApp } from '#test/support/app';
import { engine } from '#test/support/database';
import { elsewhere } from '#test/support/elsewhere';
import { changesOf, change, expectCurrent, sitDown, someChanges } from '#test/support/model/seats';
import { long, rounds } from '#test/support/rounds';
import { statementsOf } from '#test/support/statements';

const app = await startApp({ SESSION_CACHE_TTL: '60' });
const { ctx, ask, register, databaseUrl, Role, Session, User } = app;
const changes = await changesOf(app);
const statements = statementsOf(User.sequelize);
await register({}, 'admin'); // the last administrator could not be disabled

/**
 * The embedded database counts commits, so SESSION_CACHE_TTL matters only with a database
 * server.
 */
const server = engine === 'mysql';
const reads = () => statements.filter((sql) => /^SELECT[^;]*FROM sessions s JOIN/.test(sql)).length;
const nameOf = async (token: string) => (await ask('GET', '/me', { token })).body.name;
const rename = (id: string, name: string) =>
  elsewhere(databaseUrl, 'UPDATE users SET name = ? WHERE id = ?', [name, id]);

/** The next query for a session gets its rows, and then waits until `letGo`. */
function holdNextReading() {
  const [read, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const hooks = User.sequelize as unknown as Record<
    'addHook' | 'removeHook',
    (...args: unknown[]) => void
  >;
  hooks.addHook('afterQuery', 'hold', (_options: unknown, { sql }: { sql: string }) => {
    if (!sql.includes('FROM sessions s JOIN')) return;
    hooks.removeHook('afterQuery', 'hold');
    read.resolve();
    return held.promise;
  });
  return { done: read.promise, letGo: held.resolve };
}

afterEach(() => void vi.useRealTimers());
/** Stops the clock. The answer moves it. */
function holdClock() {
  vi.useFakeTimers({ toFake: ['Date'] });
  return (seconds: number) => vi.setSystemTime(Date.now() + seconds * 1000);
}

describe('what this process writes', () => {
  it('binds at once, whatever was under way', async () => {
    await fc.assert(
      fc.asyncProperty(someChanges(!server), async (made) => {
        const who = await sitDown(app);
        for (const each of made) {
          await change(app, changes, who, each);
          await expectCurrent(app, who);
          await expectCurrent(app, who);
          statements.length = 0;
          await expectCurrent(app, who);
          // A session that does not exist is not cached.
          expect(reads()).toBeLessThanOrEqual(who.gone ? 4 : 0);
        }
      }),
      { numRuns: rounds(5, 1000), unbiased: true },
    );
  });

  it('is never hidden by a request that was under way when it was written', async () => {
    const ada = await register();
    const admin = (await Role.findOne({ where: { name: 'admin' } }))!;
    const user = (await User.findByPk(ada.id))!;
    const request = () => ada.ask('GET', '/me');
    for (let i = 0; i < rounds(20, 300); i++) {
      const early = Array.from({ length: 5 }, request);
      const write = i % 2 === 0 ? grantRole(ctx, user, admin) : revokeRole(ctx, user, admin);
      const late = Array.from({ length: 5 }, request);
      await write;
      const roles = i % 2 === 0 ? ['admin', 'user'] : ['user'];
      expect((await request()).body.roles).toEqual(roles);
      await Promise.all([...early, ...late]);
      expect((await request()).body.roles).toEqual(roles);
    }
  });

  it('is never hidden by a reading that began before it and ended after it', async () => {
    const ada = await register({ name: 'Ada' });
    const reading = holdNextReading();
    const early = nameOf(ada.token);
    await reading.done;
    await User.update({ name: 'Eve' }, { where: { id: ada.id } });
    reading.letGo();
    expect(await early).toBe('Ada');
    expect(await nameOf(ada.token)).toBe('Eve');
  });

  it('binds when its transaction commits, though others asked meanwhile', async () => {
    const ada = await register({ name: 'Ada' });
    for (let i = 0; i < rounds(5, 100); i++) {
      const before = await nameOf(ada.token);
      await ctx.db.transaction(async () => {
        await User.update({ name: `Ada ${i}` }, { where: { id: ada.id } });
        for (let times = 0; times < 3; times++) expect(await nameOf(ada.token)).toBe(before);
      });
      expect(await nameOf(ada.token)).toBe(`Ada ${i}`);
    }
  });

  it('is known for nothing when it failed or was undone', async () => {
    const [ada, eve] = [await register({ name: 'Ada' }), await register()];
    expect(
      (await ada.ask('PATCH', '/me', { body: { username: eve.username, name: 'Eve' } })).status,
    ).toBe(409);
    expect((await ada.ask('GET', '/me')).body).toMatchObject({
      username: ada.username,
      name: 'Ada',
    });
    const undone = ctx.db.transaction(async () => {
      await User.update({ name: 'Eve' }, { where: { id: ada.id } });
      await nameOf(ada.token);
      throw new Error('on purpose');
    });
    await expect(undone).rejects.toThrow('on purpose');
    expect(await nameOf(ada.token)).toBe('Ada');
  });
});

describe('what another process writes', () => {
  it(`binds ${server ? 'when what was read is a minute old, not later' : 'at once'}`, async () => {
    const wait = holdClock();
    const ada = await register({ name: 'Ada' });
    await nameOf(ada.token);
    await rename(ada.id, 'Eve');
    expect(await nameOf(ada.token)).toBe(server ? 'Ada' : 'Eve');
    wait(59);
    expect(await nameOf(ada.token)).toBe(server ? 'Ada' : 'Eve');
    wait(1);
    expect(await nameOf(ada.token)).toBe('Eve');
    await elsewhere(databaseUrl, 'UPDATE sessions SET ended_at = ? WHERE user_id = ?', [
      new Date(),
      ada.id,
    ]);
    wait(60);
    expect((await ada.ask('GET', '/me')).body.code).toBe('session_ended');
  });

  it.runIf(server)(
    'is not put off by asking often: the minute counts from the reading',
    async () => {
      const wait = holdClock();
      const ada = await register({ name: 'Ada' });
      await nameOf(ada.token);
      statements.length = 0;
      await rename(ada.id, 'Eve');
      for (let i = 0; i < 5; i++) {
        wait(11);
        expect(await nameOf(ada.token)).toBe('Ada');
      }
      expect(reads()).toBe(0);
      wait(5);
      expect(await nameOf(ada.token)).toBe('Eve');
      expect(reads()).toBe(1);
    },
  );
});

describe('what a guard knows', () => {
  it('stays cached when a last-seen time or the first use of a generation is written', async () => {
    const wait = holdClock();
    const [ada, eve] = [await register(), await register()];
    wait(30);
    const { body } = await ask('POST', '/auth/refresh', {
      body: { refreshToken: ada.tokens.refreshToken },
    });
    await eve.ask('GET', '/me');
    statements.length = 0;
    await ask('GET', '/me', { token: body.accessToken });
    expect(statements.map((sql) => sql.slice(0, 6))).toEqual(['SELECT', 'UPDATE']);
    await eve.ask('GET', '/me');
    expect(reads()).toBe(server ? 1 : 2);
    wait(31);
    statements.length = 0;
    await eve.ask('GET', '/me');
    await ask('GET', '/me', { token: body.accessToken });
    expect(statements.map((sql) => sql.slice(0, 6))).toEqual(
      server ? ['UPDATE'] : ['UPDATE', 'SELECT'],
    );
  });

  it('is read again when a token shows that the session was refreshed elsewhere', async () => {
    const { token, tokens } = await register();
    await nameOf(token);
    const { id } = tokens.session;
    await elsewhere(
      databaseUrl,
      'UPDATE sessions SET generation = 1, acknowledged = 0 WHERE id = ?',
      [id],
    );
    const next = signAccessToken(ctx, (await Session.findByPk(id))!);
    await nameOf(token);
    expect((await ask('GET', '/me', { token: next })).status).toBe(200);
    expect((await Session.findByPk(id))!.acknowledged).toBe(true);
  });

  it.runIf(long)('is cached of 10 000 sessions, and of no more', async () => {
    const { id: userId } = await register();
    const expiresAt = new Date(Date.now() + 3_600_000);
    const ids = Array.from({ length: 10_001 }, () => uuid());
    for (let i = 0; i < ids.length; i += 1000)
      await Session.bulkCreate(
        ids.slice(i, i + 1000).map((id) => ({ id, userId, strategy: 'local', expiresAt })),
      );
    const claims = { iss: '', aud: 'sallyport', sub: userId, jti: uuid(), iat: 0, exp: 0, gen: 0 };
    for (const sid of ids) await resumeSession(ctx, { ...claims, sid });
    statements.length = 0;
    for (const sid of ids.slice(1).reverse()) await resumeSession(ctx, { ...claims, sid });
    expect(statements).toEqual([]);
    await resumeSession(ctx, { ...claims, sid: ids[0]! });
    expect(statements).toHaveLength(1);
  });
});
