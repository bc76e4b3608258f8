import { beforeEach, describe, expect, it } from 'vitest';
import { startApp } from '#test/support/app';
import { engine } from '#test/support/database';
import { elsewhere } from '#test/support/elsewhere';
import { statementsOf } from '#test/support/statements';

const { ctx, databaseUrl, register, Role, User } = await startApp();

const statements = statementsOf(User.sequelize);
beforeEach(() => {
  statements.length = 0;
});
const roleId = async (name: string) => (await Role.findOne({ where: { name } }))!.id;
const cheapest = engine === 'sqlite' ? 0 : 1;

describe('a guarded request', () => {
  it('asks the database once', async () => {
    const ada = await register();
    statements.length = 0;
    expect((await ada.ask('GET', '/me')).status).toBe(200);
    expect(statements).toHaveLength(1);
    expect(statements[0]).toMatch(/SELECT[\s\S]+FROM sessions[\s\S]+WHERE s\.id IN \(/);
  });

  it(`asks ${cheapest === 0 ? 'nothing' : 'once'} again while nothing has changed, and writes nothing`, async () => {
    const ada = await register();
    await ada.ask('GET', '/me');
    statements.length = 0;
    const before = ctx.db.commits();
    for (let i = 0; i < 5; i++) expect((await ada.ask('GET', '/me')).status).toBe(200);
    expect(statements).toHaveLength(5 * cheapest);
    expect(statements.filter((sql) => !sql.startsWith('SELECT'))).toEqual([]);
    expect(ctx.db.commits()).toBe(before);
  });

  it('asks once more after any commit, whosever it was', async () => {
    const ada = await register();
    await ada.ask('GET', '/me');
    await register();
    statements.length = 0;
    await ada.ask('GET', '/me');
    expect(statements).toHaveLength(1);
    await ada.ask('GET', '/me');
    expect(statements).toHaveLength(1 + cheapest);

    await elsewhere(databaseUrl, 'UPDATE users SET name = ? WHERE id = ?', ['Ada', ada.id]);
    statements.length = 0;
    expect((await ada.ask('GET', '/me')).body.name).toBe('Ada');
    expect(statements).toHaveLength(1);
  });

  it('costs the same with a role to check, and when it is refused', async () => {
    const ada = await register();
    await ada.ask('GET', '/me');
    statements.length = 0;
    expect((await ada.ask('GET', '/admin/users')).status).toBe(403);
    expect(statements).toHaveLength(cheapest);
    statements.length = 0;
    expect((await ada.ask('GET', '/me', { token: `${ada.token.slice(0, -4)}AAAA` })).status).toBe(
      401,
    );
    expect((await ada.ask('GET', '/me', { token: 'nonsense' })).status).toBe(401);
    expect(statements).toEqual([]);
  });
});

describe('what another process commits', () => {
  it('binds on the next request: a role that is granted and revoked', async () => {
    const ada = await register();
    expect((await ada.ask('GET', '/admin/users')).status).toBe(403);
    const pair = [ada.id, await roleId('admin')];
    await elsewhere(
      databaseUrl,
      'INSERT INTO user_roles (user_id, role_id, created_at) VALUES (?, ?, ?)',
      [...pair, new Date()],
    );
    expect((await ada.ask('GET', '/admin/users')).status).toBe(200);
    expect((await ada.ask('GET', '/me')).body.roles).toEqual(['admin', 'user']);
    await elsewhere(databaseUrl, 'DELETE FROM user_roles WHERE user_id = ? AND role_id = ?', pair);
    expect((await ada.ask('GET', '/admin/users')).status).toBe(403);
  });

  it('binds on the next request: a user who is disabled, a session that has ended, a user who is gone', async () => {
    const now = new Date();
    const [ada, bob, eve] = [await register(), await register(), await register()];
    for (const user of [ada, bob, eve]) expect((await user.ask('GET', '/me')).status).toBe(200);
    await elsewhere(databaseUrl, 'UPDATE users SET disabled_at = ? WHERE id = ?', [now, ada.id]);
    expect((await ada.ask('GET', '/me')).body.code).toBe('user_disabled');
    await elsewhere(databaseUrl, 'UPDATE sessions SET ended_at = ? WHERE user_id = ?', [
      now,
      bob.id,
    ]);
    expect((await bob.ask('GET', '/me')).body.code).toBe('session_ended');
    await elsewhere(databaseUrl, 'DELETE FROM sessions WHERE user_id = ?', [eve.id]);
    expect((await eve.ask('GET', '/me')).body.code).toBe('session_ended');
  });
});
