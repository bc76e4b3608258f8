import { afterAll, expect } from 'vitest';
import type { Db } from '#models/index';
import { grantRole } from '#src/access/roles';
import { serve } from '#src/server-program';
import { clientOf, type Question } from '#test/support/client';
import { emptyDatabase } from '#test/support/database';
import { testSecret } from '#test/support/secret';

export { testSecret };
export const password = 'correct horse battery';

/** Settings of a server under test, as they would stand in its environment. */
export const testEnv = (databaseUrl: string, env: Record<string, string> = {}) => ({
  PORT: '0',
  DATABASE_URL: databaseUrl,
  APP_SECRET: testSecret(),
  BCRYPT_COST: '4',
  DATABASE_WAIT: '0',
  LOG_LEVEL: 'silent',
  DIALECTS: 'none',
  LIMITS: 'off', // a test file asks more from one address in a minute than all limits allow; those about limits say `on`
  ...env,
});

/**
 * The real server on a free port, over an empty database of the engine under test. It ends with the test file. A file may
 * start several: instances share nothing.
 */
export async function startApp(env: Record<string, string> = {}) {
  const databaseUrl = env['DATABASE_URL'] ?? (await emptyDatabase());
  const settings = testEnv(databaseUrl, env);
  const running = await serve(settings);
  running.startPurge();
  const { ctx } = running;
  const models = ctx.db;
  const url = running.url;
  const ask = clientOf(url);
  await running.document(); // a route or a schema that cannot be described fails here

  afterAll(async () => {
    await expectConsistent(models);
    running.server.closeAllConnections(); // nobody asks any more: spares the notice that it gives to who still might
    await running.stop();
  });

  let made = 0;
  const unusedName = () => `user${++made}`;
  /** Somebody who registered as a stranger does and then, maybe, was given roles. */
  const register = async (fields: object = {}, ...roles: string[]) => {
    const names = 'email' in fields ? {} : { username: unusedName() };
    const { status, body, text } = await ask('POST', '/auth/register', {
      body: { ...names, password, ...fields },
    });
    expect(status, text).toBe(201);
    const user = (await models.User.findByPk(body.user.id))!;
    for (const name of roles)
      await grantRole(ctx, user, (await models.Role.findOne({ where: { name } }))!);
    const token: string = body.accessToken;
    return {
      id: body.user.id as string,
      username: body.user.username as string,
      token,
      tokens: body,
      ask: (method: string, path: string, question: Question = {}) =>
        ask(method, path, { token, ...question }),
    };
  };
  const logIn = (identifier: string, secret = password) =>
    ask('POST', '/auth/login', { body: { identifier, password: secret } });

  return {
    ...running,
    ...models,
    url,
    env: settings,
    databaseUrl,
    ask,
    register,
    logIn,
    unusedName,
  };
}

/** What must hold in the database after every test file, whatever was tried in it. */
export async function expectConsistent({ sequelize }: Db): Promise<void> {
  const orphans = async (sql: string) => ((await sequelize.query(sql))[0] as { n: number }[])[0]!.n;
  expect(
    await orphans(
      'SELECT COUNT(*) AS n FROM sessions s LEFT JOIN users u ON u.id = s.user_id WHERE u.id IS NULL',
    ),
  ).toBe(0);
  expect(
    await orphans(
      'SELECT COUNT(*) AS n FROM user_roles ur LEFT JOIN users u ON u.id = ur.user_id WHERE u.id IS NULL',
    ),
  ).toBe(0);
  const nameless = 'username_canonical IS NULL AND email_canonical IS NULL';
  expect(
    await orphans(
      `SELECT COUNT(*) AS n FROM users u WHERE ${nameless} AND u.id NOT IN (SELECT user_id FROM identities)`,
    ),
  ).toBe(0);
  expect(Object.keys(Object.prototype)).toEqual([]);
}
