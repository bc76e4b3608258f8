import { BaseError, ConnectionError, DatabaseError, TimeoutError } from 'sequelize';

/** Codes that mean: the database is unreachable, full, read-only or too slow. Trying again later may help. */
const UNAVAILABLE = new Set([
  'PROTOCOL_CONNECTION_LOST',
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ERR_STREAM_DESTROYED',
  'ER_CON_COUNT_ERROR',
  'ER_TOO_MANY_USER_CONNECTIONS',
  'ER_SERVER_SHUTDOWN',
  'ER_NORMAL_SHUTDOWN',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_LOCK_DEADLOCK',
  'ER_QUERY_TIMEOUT',
  'ER_STATEMENT_TIMEOUT',
  'ER_QUERY_INTERRUPTED',
  'ER_CONNECTION_KILLED',
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION',
  'ER_RECORD_FILE_FULL',
  'ER_DISK_FULL',
  'SQLITE_BUSY',
  'SQLITE_READONLY',
  'SQLITE_IOERR',
  'SQLITE_CORRUPT',
  'SQLITE_FULL',
  'SQLITE_CANTOPEN',
  'SQLITE_NOTADB',
]);
/** MariaDB's own errors, for which the driver has no name. */
const NAMELESS: Record<number, string> = {
  1927: 'ER_CONNECTION_KILLED',
  1969: 'ER_STATEMENT_TIMEOUT',
};

const codeOf = (error: unknown) => {
  const { code, original } = error as {
    code?: string;
    original?: { code?: string; errno?: number };
  };
  return original?.code ?? NAMELESS[original?.errno ?? 0] ?? code ?? '';
};

/** The driver's code for an error, or the error's name. It holds no host, user or value, so it is safe to log. */
export const reasonOf = (error: unknown): string => codeOf(error) || (error as Error).name;

/** True when an error means that the database is unavailable, not that the statement was wrong. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return true;
  if (error instanceof DatabaseError)
    return UNAVAILABLE.has(codeOf(error)) || (error.original as { fatal?: boolean }).fatal === true;
  return !(error instanceof BaseError) && error instanceof Error && UNAVAILABLE.has(codeOf(error));
}

const CONFLICTS = new Set([
  'ER_LOCK_DEADLOCK',
  'ER_TRANSACTION_ROLLBACK_DURING_COMMIT',
  'ER_ERROR_DURING_COMMIT',
  'ER_CHECKREAD',
]);
/** True when the database undid a transaction because of another one. Running it again is right. */
export const isConflict = (error: unknown): boolean =>
  error instanceof DatabaseError && CONFLICTS.has(codeOf(error));
