import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import { asSqlite3, openFile, type SqliteError } from '#src/platform/database/sqlite-file';
import { Queue } from '#src/platform/database/queue';

/** A write that another process blocks waits this long, in milliseconds, then fails with SQLITE_BUSY. */
const WRITE_TIMEOUT_MS = 2000;

type Row = Record<string, unknown>;
type Parameters = readonly unknown[] | Row;
type Callback = (this: Statement, error: Error | null, rows?: Row[]) => void;

class Statement {
  readonly changes: number;
  readonly lastID: number;

  constructor(changes = 0, lastID = 0) {
    this.changes = changes;
    this.lastID = lastID;
  }
}

const OPEN_CREATE = 4;

class Database {
  readonly filename: string;
  readonly #create: boolean;
  readonly #queue: Queue;
  readonly #onWrite: () => void;
  #db: DatabaseSync | undefined;
  #endTurn: (() => void) | undefined;
  #closed = false;

  constructor(filename: string, mode: number, queue: Queue, onWrite: () => void) {
    this.filename = filename;
    this.#create = (mode & OPEN_CREATE) > 0;
    this.#queue = queue;
    this.#onWrite = onWrite;
  }

  run(sql: string, parameters: Parameters | Callback = [], callback?: Callback): this {
    return typeof parameters === 'function'
      ? this.run(sql, [], parameters)
      : this.#answer(sql, parameters, callback);
  }

  all(sql: string, parameters: Parameters | Callback = [], callback?: Callback): this {
    return this.run(sql, parameters, callback);
  }

  serialize(work: () => void): void {
    work();
  }

  close(closed: (error: Error | null) => void = () => {}): void {
    this.#closed = true;
    this.#db?.close();
    this.#db = undefined;
    this.#endTurn?.();
    this.#endTurn = undefined;
    setImmediate(closed, null);
  }

  #answer(sql: string, parameters: Parameters, callback: Callback | undefined): this {
    if (/^\s*(SELECT|PRAGMA)\b/i.test(sql)) settle(() => this.#execute(sql, parameters), callback);
    else void this.#write(sql, parameters).then((outcome) => settle(outcome, callback));
    return this;
  }

  /** A transaction keeps its turn from BEGIN to its end. A single statement has a turn of its own. */
  async #write(sql: string, parameters: Parameters): Promise<() => Outcome> {
    // Sequelize also rolls back a transaction that never began. There is nothing to wait for.
    if (!this.#endTurn && /^ROLLBACK\b/i.test(sql))
      return () => ({ statement: new Statement(), rows: [] });
    const giveUp = performance.now() + WRITE_TIMEOUT_MS; // the wait for the turn counts, too
    let endTurn = this.#endTurn;
    try {
      endTurn ??= await this.#queue.turn();
    } catch (error) {
      return () => {
        throw error;
      };
    }
    const outcome = await this.#retrying(sql, parameters, giveUp);
    this.#onWrite();
    this.#endTurn = this.#db?.isTransaction ? endTurn : undefined;
    if (!this.#endTurn) endTurn();
    return outcome;
  }

  async #retrying(sql: string, parameters: Parameters, giveUp: number): Promise<() => Outcome> {
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
      // What waited for its turn must not open the file again, and begin what nobody ends.
      if (this.#closed) throw Object.assign(new Error('closed'), { code: 'ERR_INVALID_STATE' });
      this.#db ??= openFile(this.filename, this.#create);
      const statement = this.#db.prepare(sql);
      if (statement.columns().length > 0) {
        const rows = Array.isArray(parameters)
          ? statement.all(...parameters.map(stored))
          : statement.all(named(parameters as Row));
        return { statement: new Statement(), rows };
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
const named = (row: Row) =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, stored(value)]));

/** What Sequelize calls. */
interface SqliteModule {
  Database: new (filename: string, mode: number, opened: (error: Error | null) => void) => object;
  OPEN_READONLY: number;
  OPEN_READWRITE: number;
  OPEN_CREATE: number;
}

/**
 * The part of the `sqlite3` package that Sequelize uses, over Node's own SQLite. Two things differ. Writers on one file
 * take turns in a queue instead of failing. A writer that another process blocks waits without blocking the event loop.
 * `onWrite` is called after every statement that writes.
 */
export function sqliteModule(onWrite: () => void): SqliteModule {
  const queues = new Map<string, Queue>();
  const queueOf = (file: string) => queues.get(file) ?? queues.set(file, new Queue()).get(file)!;

  class Connection extends Database {
    constructor(filename: string, mode: number, opened: (error: Error | null) => void) {
      super(filename, mode, queueOf(filename), onWrite);
      // A file that cannot be opened now may be there later. The next statement tries again.
      setImmediate(opened, null);
    }
  }
  return { Database: Connection, OPEN_READONLY: 1, OPEN_READWRITE: 2, OPEN_CREATE };
}
