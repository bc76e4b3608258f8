import { hkdfSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { startApp } from '#test/support/app';

const { ask, env, register, logIn, User } = await startApp();

/** Every value in the database as text. Bytes are read as Latin-1. */
async function dump(): Promise<string> {
  const database = User.sequelize!;
  const tables = (await database.getQueryInterface().showAllTables()) as unknown as (
    | string
    | { tableName: string }
  )[];
  const names = tables.map((table) => (typeof table === 'string' ? table : table.tableName));
  expect(names).toEqual(expect.arrayContaining(['sessions', 'users', 'signing_keys']));
  const rows = await Promise.all(
    names.map(async (name) => (await database.query(`SELECT * FROM ${name}`))[0]),
  );
  const text = (value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : String(value);
  return rows
    .flatMap((table) => (table as object[]).flatMap((row) => Object.values(row).map(text)))
    .join('\n');
}

const spellings = (bytes: Buffer) =>
  (['hex', 'base64', 'base64url', 'latin1', 'utf8'] as const).map((encoding) =>
    bytes.toString(encoding),
  );

/** The parts of a token except the session's id, and the keys by which one could be made. */
function canaries(token: string): string[] {
  const secret = env.APP_SECRET;
  const bytes = Buffer.from(token.slice(4), 'base64url');
  const purposes = ['refresh-token', 'refresh-token-id', 'signing-key'];
  const keys = purposes.map((purpose) =>
    Buffer.from(hkdfSync('sha256', secret, 'sallyport', purpose, 32)),
  );
  const secrets = [
    bytes,
    bytes.subarray(0, 25),
    bytes.subarray(25),
    bytes.subarray(25, 37),
    bytes.subarray(0, 5),
    ...keys,
  ];
  return [
    token,
    token.slice(4),
    token.slice(-20),
    token.slice(4, 30),
    secret,
    ...secrets.flatMap(spellings),
  ];
}

it('nothing in the database is a refresh token, or helps to make one (R-18)', async () => {
  const ada = await register();
  const device = { kind: 'mobile', name: 'canary in a cage', platform: 'iOS' };
  const phone = await ask('POST', '/auth/login', {
    body: { identifier: ada.username, password: 'correct horse battery', device },
  });
  const other = await logIn(ada.username);
  const refresh = async (refreshToken: string) =>
    (await ask('POST', '/auth/refresh', { body: { refreshToken } })).body;
  const first = await refresh(ada.tokens.refreshToken);
  const second = await refresh(first.refreshToken);
  await ask('GET', '/me', { token: second.accessToken });
  await ask('POST', '/auth/logout', { body: { refreshToken: other.body.refreshToken } });

  const everything = await dump();
  expect(everything).toContain(device.name);
  for (const { refreshToken, session } of [ada.tokens, first, second, phone.body, other.body]) {
    expect(everything).toContain(session.id);
    for (const canary of canaries(refreshToken))
      expect(everything.toLowerCase()).not.toContain(canary.toLowerCase());
  }
});
