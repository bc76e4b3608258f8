import { DatabaseSync } from 'node:sqlite';
import { createConnection } from 'mysql2/promise';
import type { User } from '#models/index';

/** Writes as another process does: it shares nothing with the server but the database. */
export async function elsewhere(databaseUrl: string, sql: string, values: (string | Date | null)[]): Promise<void> {
  if (databaseUrl.startsWith('sqlite:')) {
    const db = new DatabaseSync(databaseUrl.slice('sqlite:'.length), { timeout: 2000 });
    try {
      db.prepare(sql).run(...values.map((value) => (value instanceof Date ? value.toISOString() : value)));
    } finally {
      db.close();
    }
    return;
  }
  const connection = await createConnection({ uri: databaseUrl.replace(/^mariadb:/, 'mysql:'), timezone: 'Z' });
  try {
    await connection.execute(sql, values);
  } finally {
    await connection.end();
  }
}

/** Every statement that Sequelize sends from now on, but for those of the timer that tends the keys. Empty it before what is counted. */
export function statementsOf(model: typeof User): string[] {
  const statements: string[] = [];
  const { options } = model.sequelize as unknown as { options: { logging: (sql: string) => void } };
  options.logging = (sql) => {
    if (!sql.includes('signing_keys')) statements.push(sql.replace(/^Executing \([^)]*\):\s+/, ''));
  };
  return statements;
}
