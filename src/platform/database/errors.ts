import { BaseError, ConnectionError, DatabaseError, TimeoutError } from 'sequelize';

/** The database undid a transaction because of a concurrent one, here or on another node of its cluster. */
const CONFLICTS = new Set([
  'ER_LOCK_DEADLOCK',
  'ER_LOCK_WAIT_TIMEOUT',
  'ER_TRANSACTION_ROLLBACK_DURING_COMMIT',
  'ER_ERROR_DURING_COMMIT',
  'ER_CHECKREAD',
]);
/** Codes that mean: the database is unreachable, full, read-only or too slow. Trying again later may help. */
const UNAVAILABLE = new Set([
  ...CONFLICTS, // it was repeated in vain
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
  'ER_QUERY_TIMEOUT',
  'ER_STATEMENT_TIMEOUT',
  'ER_QUERY_INTERRUPTED',
  'ER_CONNECTION_KILLED',
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION',
  'ER_RECORD_FILE_FULL',
  'ER_LOCK_TABLE_FULL',
  'ER_DISK_FULL',
  'ER_MAX_PREPARED_STMT_COUNT_REACHED',
  'ER_UNKNOWN_COM_ERROR', // 1047: a Galera node that is joining, or has lost its cluster
  'ER_RUN_HOOK_ERROR', // the same in Group Replication
  'ER_GRP_TRX_CONSISTENCY_BEFORE',
  'ER_GRP_TRX_CONSISTENCY_AFTER_ON_TRX_BEGIN',
  'ER_GRP_TRX_CONSISTENCY_BEGIN_NOT_ALLOWED',
  'SQLITE_BUSY',
  'SQLITE_READONLY',
  'SQLITE_IOERR',
  'SQLITE_CORRUPT',
  'SQLITE_FULL',
  'SQLITE_CANTOPEN',
  'SQLITE_NOTADB',
]);
/** A host has left its cluster, or may not write. Another one may serve meanwhile. */
const OF_THE_HOST = new Set([
  'ER_UNKNOWN_COM_ERROR',
  'ER_RUN_HOOK_ERROR',
  'ER_OPTION_PREVENTS_STATEMENT',
  'ER_GRP_TRX_CONSISTENCY_BEFORE',
  'ER_GRP_TRX_CONSISTENCY_BEGIN_NOT_ALLOWED',
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

/** True when the database undid a transaction because of another one. Running it again is right. */
export const isConflict = (error: unknown): boolean =>
  error instanceof DatabaseError && CONFLICTS.has(codeOf(error));

/** True when another host of the same cluster may serve. */
export const mayBeBetterElsewhere = (error: unknown): boolean => OF_THE_HOST.has(codeOf(error));

/** True when a node of a cluster answers, but has not joined the others yet. */
export const isJoining = (error: unknown): boolean =>
  error instanceof Error &&
  ['ER_UNKNOWN_COM_ERROR', 'ER_RUN_HOOK_ERROR', 'ER_LOCK_WAIT_TIMEOUT'].includes(codeOf(error));
