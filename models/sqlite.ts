import { closeSync, openSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';

/**
 * The part of the `sqlite3` package that Sequelize uses, over Node's own SQLite.
 * Two things differ. Writers of one process take turns in a queue instead of failing, and a writer that
 * another process holds up waits without blocking the event loop; after WRITE_PATIENCE it gives up with SQLITE_BUSY.
 */
const WRITE_PATIENCE = 2000;
const PRAGMAS = 'PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;';

type Row = Record<string, unknown>;
type Parameters = readonly unknown[] | Row;
type Callback = (this: Statement, error: Error | null, rows?: Row[]) => void;
interface SqliteError extends Error {
  code?: string;
  errcode?: number;
}

class Statement {
  readonly changes: number;
  readonly lastID: number;

  constructor(changes = 0, lastID = 0) {
    this.changes = changes;
    this.lastID = lastID;
  }
}

/** First come, first served: each caller gets the turn and gives it back. */
class Queue {
  #last: Promise<void> = Promise.resolve();

  async turn(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = promise;
    await before;
    return resolve;
  }
}
const queues = new Map<string, Queue>();
const queueOf = (file: string) => queues.get(file) ?? queues.set(file, new Queue()).get(file)!;

// Not a static import: a Node without node:sqlite must get as far as saying which version it needs.
const driver = () => process.getBuiltinModule('node:sqlite');

function open(file: string): DatabaseSync {
  closeSync(openSync(file, 'a', 0o600)); // password hashes are for this user's eyes
  const db = new (driver().DatabaseSync)(file);
  try {
    db.exec(PRAGMAS);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

class Database {
  readonly filename: string;
  readonly #queue: Queue;
  #db: DatabaseSync | undefined;
  #endTurn: (() => void) | undefined;

  constructor(filename: string, _mode: number, opened: (error: Error | null) => void) {
    this.filename = filename;
    this.#queue = queueOf(filename);
    // A file that cannot be opened now may be there later, so the next statement tries again.
    setImmediate(opened, null);
  }

  run(sql: string, parameters: Parameters | Callback = [], callback?: Callback): this {
    return typeof parameters === 'function' ? this.run(sql, [], parameters) : this.#answer(sql, parameters, callback);
  }

  all(sql: string, parameters: Parameters | Callback = [], callback?: Callback): this {
    return this.run(sql, parameters, callback);
  }

  serialize(work: () => void): void {
    work();
  }

  close(closed: (error: Error | null) => void = () => {}): void {
    this.#db?.close();
    this.#db = undefined;
    this.#endTurn?.();
    setImmediate(closed, null);
  }

  #answer(sql: string, parameters: Parameters, callback: Callback | undefined): this {
    if (/^\s*(SELECT|PRAGMA)\b/i.test(sql)) settle(() => this.#execute(sql, parameters), callback);
    else void this.#write(sql, parameters).then((outcome) => settle(outcome, callback));
    return this;
  }

  /** A transaction keeps its turn from BEGIN to its end; a single statement has one for itself. */
  async #write(sql: string, parameters: Parameters): Promise<() => Outcome> {
    const endTurn = this.#endTurn ?? (await this.#queue.turn());
    const outcome = await this.#patiently(sql, parameters);
    this.#endTurn = this.#db?.isTransaction ? endTurn : undefined;
    if (!this.#endTurn) endTurn();
    return outcome;
  }

  async #patiently(sql: string, parameters: Parameters): Promise<() => Outcome> {
    const giveUp = performance.now() + WRITE_PATIENCE;
    for (let pause = 1; ; pause = Math.min(pause * 2, 50)) {
      try {
        const outcome = this.#execute(sql, parameters);
        return () => outcome;
      } catch (error) {
        if ((error as SqliteError).code !== 'SQLITE_BUSY' || performance.now() > giveUp)
          return () => {
            throw error;
          };
      }
      await new Promise((resolve) => {
        setTimeout(resolve, pause);
      });
    }
  }

  #execute(sql: string, parameters: Parameters): Outcome {
    try {
      this.#db ??= open(this.filename);
      const statement = this.#db.prepare(sql);
      if (statement.columns().length > 0) {
        const rows = Array.isArray(parameters) ? statement.all(...parameters.map(stored)) : statement.all(named(parameters as Row));
        return { statement: new Statement(), rows: rows as Row[] };
      }
      const { changes, lastInsertRowid } = Array.isArray(parameters)
        ? statement.run(...parameters.map(stored))
        : statement.run(named(parameters as Row));
      return { statement: new Statement(Number(changes), Number(lastInsertRowid)), rows: [] };
    } catch (error) {
      throw asSqlite3(error as SqliteError);
    }
  }
}

interface Outcome {
  statement: Statement;
  rows: Row[];
}

function settle(work: () => Outcome, callback: Callback | undefined): void {
  let outcome: Outcome;
  try {
    outcome = work();
  } catch (error) {
    return callback?.call(new Statement(), error as Error);
  }
  callback?.call(outcome.statement, null, outcome.rows);
}

function stored(value: unknown): SQLInputValue {
  if (typeof value === 'boolean') return value ? 1 : 0;
  return (value ?? null) as SQLInputValue;
}
const named = (row: Row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, stored(value)]));

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
/** Gives the error the code and message that the sqlite3 package would: Sequelize tells constraints apart by them. */
function asSqlite3(error: SqliteError): SqliteError {
  if (error.errcode === undefined) return error;
  const code = CODES[error.errcode & 0xff] ?? 'SQLITE_ERROR';
  return Object.assign(error, { code, message: `${code}: ${error.message}` });
}

export const sqlite3 = { Database, OPEN_READONLY: 1, OPEN_READWRITE: 2, OPEN_CREATE: 4 };

/**
 * A number that changes with every commit to the file, by whichever connection or process, for the price of
 * a microsecond (https://www.sqlite.org/pragma.html#pragma_data_version). It takes a connection that never writes.
 */
export function commitCounter(file: string): { read(): number; close(): void } {
  const db = open(file);
  const statement = db.prepare('PRAGMA data_version');
  return { read: () => (statement.get() as { data_version: number }).data_version, close: () => db.close() };
}
