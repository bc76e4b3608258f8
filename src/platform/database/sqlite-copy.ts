import { asSqlite3, openFile, type SqliteError } from '#src/platform/database/sqlite-file';

/** How long it waits for a lock that others hold only for moments, in milliseconds. */
const PATIENCE = 'PRAGMA busy_timeout = 10000';

/**
 * Copies a database while others write to it: everything that was committed before is in the copy, and nothing half
 * done. `target` must not exist, and is one file.
 */
export function copyDatabase(file: string, target: string): void {
  withFile(file, (db) => {
    db.exec(PATIENCE);
    db.prepare('VACUUM INTO ?').run(target);
  });
}

/** What is wrong with a database, in the words of SQLite; undefined if it is whole. */
export function damageOf(file: string): string | undefined {
  try {
    return withFile(file, (db) => {
      const [first] = db.prepare('PRAGMA integrity_check(1)').all();
      const text = String(Object.values(first ?? {})[0]);
      if (text !== 'ok') return text;
      return db.prepare('PRAGMA foreign_key_check').get() ? 'a row refers to none' : undefined;
    });
  } catch (error) {
    return (error as SqliteError).code ?? 'it cannot be opened';
  }
}

/** True if another connection has the file open, be it idle or busy. */
export function isInUse(file: string): boolean {
  try {
    return withFile(file, (db) => {
      db.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; ROLLBACK');
      return false;
    });
  } catch (error) {
    if ((error as SqliteError).code === 'SQLITE_BUSY') return true;
    throw error;
  }
}

function withFile<T>(file: string, work: (db: ReturnType<typeof openFile>) => T): T {
  try {
    const db = openFile(file);
    try {
      return work(db);
    } finally {
      db.close();
    }
  } catch (error) {
    throw asSqlite3(error as SqliteError);
  }
}
