import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { asSqlite3, openFile, type SqliteError } from '#src/platform/database/sqlite-file';

/** A number that changes. What was read while it had another value may be out of date. */
type CommitCounter = () => number;

export interface FileCommits {
  count: CommitCounter;
  /** A write of this process happened: the next call of `count` looks at the file again. */
  forget: () => void;
  close: () => void;
}

/**
 * A number that changes with every commit to the file, by any connection or process
 * (https://www.sqlite.org/pragma.html#pragma_data_version). It takes a connection that never writes. The file is looked
 * at once in a turn of the event loop: requests that arrive together share the answer. A request that follows another
 * one's answer does not share it.
 */
export function fileCommits(file: string): FileCommits {
  let connection: DatabaseSync | undefined; // a file that is not there yet is made by the migrations
  let statement: StatementSync | undefined;
  let counted: number | undefined;
  const forget = () => {
    counted = undefined;
  };
  const read = () => {
    connection ??= openFile(file);
    statement ??= connection.prepare('PRAGMA data_version');
    const count = look(statement);
    if (counted === undefined) setImmediate(forget);
    counted = count;
    return count;
  };
  return { count: () => counted ?? read(), forget, close: () => connection?.close() };
}

function look(statement: StatementSync): number {
  try {
    return (statement.get() as { data_version: number }).data_version;
  } catch (error) {
    throw asSqlite3(error as SqliteError);
  }
}

/** Among the options of a write on which no session depends: cached sessions stay valid. */
export const skipCacheInvalidation: object = { skipCacheInvalidation: true };
