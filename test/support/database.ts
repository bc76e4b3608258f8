import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { createConnection } from 'mysql2/promise';
import { afterAll, inject } from 'vitest';

export const engine = process.env['TEST_ENGINE'] === 'mysql' ? 'mysql' : 'sqlite';

const made: string[] = [];
afterAll(async () => {
  for (const name of made) await onServer(inject('mysqlUrl'), `DROP DATABASE ${name}`);
});

/** The URL of an empty database that nobody else uses, on the engine under test; it is gone when the file is done. */
export async function emptyDatabase(): Promise<string> {
  const name = `t_${randomBytes(6).toString('hex')}`;
  if (engine === 'sqlite') {
    mkdirSync(name);
    return `sqlite:${process.cwd()}/${name}/test.sqlite`;
  }
  const server = inject('mysqlUrl');
  await onServer(server, `CREATE DATABASE ${name}`);
  made.push(name);
  return `${server}/${name}`;
}

async function onServer(url: string, sql: string): Promise<void> {
  const connection = await createConnection(url);
  await connection.query(sql);
  await connection.end();
}
