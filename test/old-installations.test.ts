import { readFileSync, readdirSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { createConnection } from 'mysql2/promise';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { emptyDatabase, engine } from '#test/support/database';
import { root, rowsOf } from '#test/support/process';

/** Under which the dumps were made, see test/dumps/README.md. */
const env = {
  APP_SECRET: 'Zm9yLXRoZS1kdW1wcy1vbmx5LTQyLXdpZXNlbg',
  PUBLIC_URL: 'http://localhost:3000',
};
const folder = `${root}test/dumps/`;
const kind = engine === 'mysql' ? 'mariadb' : 'sqlite';
const dumps = readdirSync(folder).flatMap((file) =>
  file.endsWith(`.${kind}.sql`) ? [file.slice(0, -`.${kind}.sql`.length)] : [],
);

type Held = Record<
  'ada' | 'bob' | 'zoe' | 'phone',
  { accessToken: string; refreshToken?: string; session: string; user: string }
>;

/** The database as it was left. */
async function restored(name: string): Promise<string> {
  const sql = readFileSync(`${folder}${name}.${kind}.sql`, 'utf8');
  const url = await emptyDatabase();
  if (engine === 'sqlite') {
    const database = new DatabaseSync(url.slice('sqlite:'.length));
    database.exec(sql);
    database.close();
    return url;
  }
  const connection = await createConnection({ uri: url, multipleStatements: true });
  const [rows] = await connection.query('SELECT VERSION() AS version');
  const isMariadb = /mariadb/i.test((rows as { version: string }[])[0]!.version);
  await connection.query(
    sql
      .replace(/^\/\*M!999999.*$/m, '')
      .replaceAll('utf8mb4_nopad_bin', isMariadb ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin'),
  );
  await connection.end();
  return url;
}

const issuedAt = ({ ada }: Held): number =>
  JSON.parse(Buffer.from(ada.accessToken.split('.')[1]!, 'base64url').toString()).iat * 1000;
const clock = (now: number) => vi.useFakeTimers({ toFake: ['Date'], now });

/** Today's server, a minute after that one was last seen. */
async function taken(name: string) {
  const DATABASE_URL = await restored(name);
  const left = await rowsOf(DATABASE_URL, 'SELECT name FROM migrations ORDER BY name');
  const held = JSON.parse(readFileSync(`${folder}${name}.${kind}.json`, 'utf8')) as Held;
  // The server goes by the clock of its database, and only that of SQLite can be set back.
  if (engine === 'sqlite') clock(issuedAt(held) + 60_000);
  else vi.useRealTimers();
  const app = await startApp({ ...env, DATABASE_URL });
  return { name, app, held, left: left.map(({ name }) => String(name)) };
}

const installations: Awaited<ReturnType<typeof taken>>[] = [];
for (const name of dumps) installations.push(await taken(name));
afterAll(() => void vi.useRealTimers());

it('has a dump of each schema that was released', () => {
  expect(dumps).toEqual(expect.arrayContaining(['0.1.0', '0002-refresh']));
});

describe.each(installations)('an installation of $name', ({ name, app, held, left }) => {
  const me = (token: string) => app.ask('GET', '/me', { token });

  it('is brought to the newest schema, and loses nothing', async () => {
    expect(left).toEqual(
      name === '0.1.0' ? ['0001-foundation'] : ['0001-foundation', '0002-refresh'],
    );
    const now = (await rowsOf(app.databaseUrl, 'SELECT name FROM migrations ORDER BY name')).map(
      (row) => row['name'],
    );
    expect(now.slice(0, left.length)).toEqual(left);
    expect(now).toContain('0002-refresh');
    const sessions = await rowsOf(app.databaseUrl, 'SELECT id FROM sessions ORDER BY id');
    expect(sessions.map(({ id }) => id)).toEqual(
      expect.arrayContaining(Object.values(held).map(({ session }) => session)),
    );
  });

  it('keeps its sessions and access tokens, its signing key and its roles', async () => {
    clock(issuedAt(held) + 60_000);
    for (const [who, roles] of [
      ['ada', ['admin', 'user']],
      ['phone', ['admin', 'user']],
      ['bob', ['press', 'user']],
    ] as const) {
      const { status, body } = await me(held[who].accessToken);
      expect([status, body.id, body.roles], who).toEqual([200, held[who].user, roles]);
    }
    expect((await me(held.zoe.accessToken)).status).toBe(401);
    expect((await app.ask('GET', '/admin/users', { token: held.ada.accessToken })).status).toBe(
      200,
    );
    expect((await app.ask('GET', '/admin/users', { token: held.bob.accessToken })).status).toBe(
      403,
    );
    const { body } = await app.ask('GET', '/me/sessions', { token: held.ada.accessToken });
    expect(body.data).toMatchObject(
      expect.arrayContaining([
        expect.objectContaining({ id: held.ada.session, current: true, amr: [], acr: 'aal1' }),
        expect.objectContaining({
          id: held.phone.session,
          device: expect.objectContaining({ kind: 'mobile', name: 'phone' }),
        }),
      ]),
    );
  });

  it('keeps its refresh tokens, if it had any', async () => {
    clock(issuedAt(held) + 3600_000);
    const tokens = (['ada', 'phone', 'bob', 'zoe'] as const).map((who) => held[who].refreshToken);
    if (name === '0.1.0')
      return expect(tokens).toEqual([undefined, undefined, undefined, undefined]);
    for (const [i, refreshToken] of tokens.entries()) {
      expect(refreshToken).toMatch(/^rt1\./);
      const { status, body } = await app.ask('POST', '/auth/refresh', { body: { refreshToken } });
      if (i === 3) expect([status, body.reason]).toEqual([400, 'revoked']);
      else expect([status, (await me(body.accessToken)).status]).toEqual([200, 200]);
    }
  });

  it('lets in by the passwords that were chosen there', async () => {
    clock(issuedAt(held) + 3600_000);
    for (const identifier of ['ada', 'ADA@example.com', 'bob']) {
      expect((await app.logIn(identifier, `${password}r`)).status).toBe(401);
      const { status, body } = await app.logIn(identifier);
      expect([status, body.user.id], identifier).toEqual([
        200,
        identifier === 'bob' ? held.bob.user : held.ada.user,
      ]);
      expect((await me(body.accessToken)).body.roles).toContain('user');
    }
    expect((await app.logIn('zoe@example.com', 'пароль длинный')).status).toBe(401);
    await app.User.update({ disabledAt: null }, { where: { id: held.zoe.user } });
    expect((await app.logIn('zoe@example.com', 'пароль длинный')).status).toBe(200);
  });
});
