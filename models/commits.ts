import type { StatementSync } from 'node:sqlite';
import type { Sequelize } from 'sequelize';
import { asSqlite3, openFile, type SqliteError } from '#models/sqlite-file';

/** A number that changes: what was read while it was another one may be out of date. */
export type CommitCounter = () => number;

/** What counters have read in this turn of the event loop. A write of this process makes them read again. */
const counted = new Map<object, number>();

export const forgetCommits = (): void => counted.clear();

/**
 * A number that changes with every commit to the file, by whichever connection or process
 * (https://www.sqlite.org/pragma.html#pragma_data_version). It takes a connection that never writes. The file is looked at
 * once in a turn of the event loop: requests that arrive together share the answer, one that follows another's answer does not.
 */
export function commitCounter(file: string): CommitCounter {
  const statement = openFile(file).prepare('PRAGMA data_version');
  const read = () => {
    const count = look(statement);
    if (counted.size === 0) setImmediate(forgetCommits);
    counted.set(statement, count);
    return count;
  };
  return () => counted.get(statement) ?? read();
}

function look(statement: StatementSync): number {
  try {
    return (statement.get() as { data_version: number }).data_version;
  } catch (error) {
    throw asSqlite3(error as SqliteError);
  }
}

/** Put among the options of a write that no session depends on: what is known of sessions stays good. */
export const unnoticed: object = { unnoticed: true };

/**
 * A number that changes when this process has written anything, or has tried to: for a database that does not tell.
 * Other processes are not counted, nor are statements marked `unnoticed`.
 */
export function writeCounter(sequelize: Sequelize): CommitCounter {
  let count = 0;
  const query = sequelize.query.bind(sequelize) as (sql: string | { query: string }, options?: { unnoticed?: boolean }) => Promise<unknown>;
  const counted = (...[sql, options]: Parameters<typeof query>) => {
    const answer = query(sql, options);
    if (options?.unnoticed || /^\s*SELECT\b/i.test(typeof sql === 'string' ? sql : sql.query)) return answer;
    return answer.finally(() => count++);
  };
  Object.assign(sequelize, { query: counted });
  return () => count;
}
