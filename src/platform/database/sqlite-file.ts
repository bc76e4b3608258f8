import { accessSync, closeSync, constants, openSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';

// Another process may be turning the same new file to WAL: only then may SQLite itself wait. See WRITE_TIMEOUT_MS in sqlite.ts.
const PRAGMAS =
  'PRAGMA busy_timeout = 200; PRAGMA journal_mode = WAL; PRAGMA busy_timeout = 0; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;';

export interface SqliteError extends Error {
  code?: string;
  errcode?: number;
  syscall?: string;
}

/**
 * A connection to a database file. Without `create` the file must exist: a lost file is not silently replaced by an empty
 * one. Only its owner may read it, because it holds password hashes.
 */
export function openFile(file: string, create = false): DatabaseSync {
  // Not a static import: a Node without node:sqlite must get as far as saying which version it needs.
  const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
  if (create) make(file);
  accessSync(file, constants.R_OK | constants.W_OK);
  const db = new DatabaseSync(file);
  try {
    db.exec(PRAGMAS);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/**
 * Creates the file with mode 0600. A file that exists is never opened beside SQLite: closing any descriptor of it drops
 * every POSIX lock this process holds on it, and the next program that closes the database would delete its WAL.
 */
function make(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as SqliteError).code !== 'EEXIST') throw error;
  }
}

const CODES: Record<number, string> = {
  5: 'SQLITE_BUSY',
  8: 'SQLITE_READONLY',
  10: 'SQLITE_IOERR',
  11: 'SQLITE_CORRUPT',
  13: 'SQLITE_FULL',
  14: 'SQLITE_CANTOPEN',
  19: 'SQLITE_CONSTRAINT',
  26: 'SQLITE_NOTADB',
};

const isClosed = ({ code }: SqliteError) => code === 'ERR_INVALID_STATE';

/** Gives the error the code and message that the sqlite3 package would: Sequelize tells constraints apart by them. */
export function asSqlite3(error: SqliteError): SqliteError {
  if (error.errcode === undefined)
    return error.syscall === 'access' || error.syscall === 'open' || isClosed(error)
      ? Object.assign(error, { code: 'SQLITE_CANTOPEN' })
      : error;
  const code = CODES[error.errcode & 0xff] ?? 'SQLITE_ERROR';
  return Object.assign(error, { code, message: `${code}: ${error.message}` });
}
