import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { engine } from '#test/support/database';
import { elsewhere } from '#test/support/elsewhere';
import { changesOf, change, expectCurrent, sitDown, someChanges } from '#test/support/model/seats';
import { rounds } from '#test/support/rounds';
import { statementsOf } from '#test/support/statements';

const app = await startApp();
const { ctx, ask, register, databaseUrl, User } = app;
const changes = await changesOf(app);
const statements = statementsOf(User.sequelize);
await register({}, 'admin'); // the last administrator could not be disabled

/**
 * Queries of a request while nothing changes. Only the embedded database shows that nothing did.
 */
const cheapest = engine === 'sqlite' ? 0 : 1;

describe('what a guard knows of a session', () => {
  it('is never out of date, in whichever process it changed and whatever was under way', async () => {
    await fc.assert(
      fc.asyncProperty(someChanges(true), async (made) => {
        const who = await sitDown(app);
        for (const each of made) {
          await change(app, changes, who, each);
          await expectCurrent(app, who);
        }
      }),
      { numRuns: rounds(5, 1000), unbiased: true },
    );
  });

  it(`costs ${cheapest} queries when nothing has changed since, and one when something has`, async () => {
    const [ada, eve] = [await register(), await register()];
    for (const { token } of [ada, eve, ada, eve]) await ask('GET', '/me', { token });
    for (let i = 0; i < 3; i++) {
      statements.length = 0;
      for (const { token } of [ada, eve, ada]) await ask('GET', '/me', { token });
      expect(statements).toHaveLength(3 * cheapest);
      await elsewhere(databaseUrl, 'UPDATE users SET name = ? WHERE id = ?', [`Eve ${i}`, eve.id]);
      statements.length = 0;
      expect((await ask('GET', '/me', { token: eve.token })).body.name).toBe(`Eve ${i}`);
      expect((await ask('GET', '/me', { token: ada.token })).status).toBe(200);
      expect(statements).toHaveLength(2);
      expect(statements.every((sql) => sql.startsWith('SELECT'))).toBe(true);
    }
  });

  it('is asked for once a request, however many come together', async () => {
    const ada = await register();
    statements.length = 0;
    await Promise.all(Array.from({ length: 20 }, () => ada.ask('GET', '/me')));
    expect(statements.length).toBeLessThanOrEqual(20);
    expect(statements.length).toBeGreaterThan(0);
  });
});

describe('a transaction', () => {
  it('shows nobody what it has not committed, and everybody what it has', async () => {
    const ada = await register();
    for (let i = 0; i < rounds(5, 100); i++) {
      const name = `Ada ${i}`;
      const before = (await ada.ask('GET', '/me')).body.name;
      await ctx.db.transaction(async () => {
        await User.update({ name }, { where: { id: ada.id } });
        // These requests come over a socket, so they run outside the transaction.
        const asked = await Promise.all(Array.from({ length: 4 }, () => ada.ask('GET', '/me')));
        expect(asked.map(({ body }) => body.name)).toEqual([before, before, before, before]);
      });
      expect((await ada.ask('GET', '/me')).body.name).toBe(name);
    }
  });

  it('that is undone has changed nothing', async () => {
    const ada = await register({ name: 'Ada' });
    const undone = ctx.db.transaction(async () => {
      await User.update({ name: 'Eve' }, { where: { id: ada.id } });
      await ada.ask('GET', '/me');
      throw new Error('on purpose');
    });
    await expect(undone).rejects.toThrow('on purpose');
    expect((await ada.ask('GET', '/me')).body.name).toBe('Ada');
  });
});

it('knows a write that failed for none', async () => {
  const [ada, eve] = [await register({ name: 'Ada' }), await register()];
  const taken = await ada.ask('PATCH', '/me', { body: { username: eve.username, name: 'Eve' } });
  expect([taken.status, taken.body.code]).toEqual([409, 'username_taken']);
  expect((await ada.ask('GET', '/me')).body).toMatchObject({ username: ada.username, name: 'Ada' });
  expect((await ada.ask('DELETE', '/me', { body: { password: `not ${password}` } })).status).toBe(
    401,
  );
  expect((await ada.ask('GET', '/me')).status).toBe(200);
});
