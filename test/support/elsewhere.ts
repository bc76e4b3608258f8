import { DatabaseSync } from 'node:sqlite';
import { createConnection } from 'mysql2/promise';
import { eventually } from '#test/support/eventually';

/** Writes as another process does: it shares nothing with the server but the database. */
export async function elsewhere(
  databaseUrl: string,
  sql: string,
  values: (string | Date | null)[],
): Promise<void> {
  if (databaseUrl.startsWith('sqlite:')) {
    const db = new DatabaseSync(databaseUrl.slice('sqlite:'.length));
    try {
      const bound = values.map((value) => (value instanceof Date ? value.toISOString() : value));
      await eventually(() => db.prepare(sql).run(...bound));
    } finally {
      db.close();
    }
    return;
  }
  const connection = await createConnection({
    uri: databaseUrl.replace(/^mariadb:/, 'mysql:'),
    timezone: 'Z',
  });
  try {
    await connection.execute(sql, values);
  } finally {
    await connection.end();
  }
}

/**
 * Takes the write lock of a SQLite file. A server in this process may hold it for a moment: to wait as SQLite does would
 * keep that server from going on.
 */
export const lockFile = (file: DatabaseSync): Promise<void> =>
  eventually(() => file.exec('BEGIN IMMEDIATE'));

/** Keeps a session from being written, as another process may, until the returned function is called. */
export async function hold(
  databaseUrl: string,
  sessionId: string,
): Promise<() => Promise<unknown>> {
  if (databaseUrl.startsWith('sqlite:')) {
    const other = new DatabaseSync(databaseUrl.slice('sqlite:'.length));
    await lockFile(other);
    return async () => other.close();
  }
  const other = await createConnection(databaseUrl);
  await other.query('BEGIN');
  await other.query('SELECT id FROM sessions WHERE id = ? FOR UPDATE', [sessionId]);
  return () => other.end();
}
