import { readFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { BaseError, ConnectionError, DatabaseError, Sequelize, TimeoutError, Transaction, type Options } from 'sequelize';
import { sqlite3 } from '#models/sqlite';

/** How long a statement may take before the database counts as away, in milliseconds. */
const PATIENCE = 2000;

/** As far as it concerns us, what Sequelize hands to `afterConnect` for MySQL: mysql2's callback connection. */
interface MysqlConnection {
  stream: Socket;
  _command?: unknown;
  query(sql: string, done: (error: Error | null) => void): void;
}

// Each comment is read by one of the two servers only: MariaDB counts seconds, MySQL milliseconds.
const sessionSettings = (seconds: number) => `SET SESSION time_zone = '+00:00',
  sql_mode = 'STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,ERROR_FOR_DIVISION_BY_ZERO', innodb_lock_wait_timeout = ${seconds || 60}
  /*M!100000 , max_statement_time = ${seconds} */ /*!80000 , max_execution_time = ${seconds * 1000} */`;

/** Options that Sequelize 6 reads but does not declare. */
interface Undeclared extends Options {
  foreignKeys?: boolean;
  keepDefaultTimezone?: boolean;
  transactionType?: Transaction.TYPES;
}

/**
 * Opens a database; nothing is sent before the first query. A server that does not answer is given up after
 * PATIENCE. `patient` waits for as long as it takes, on a single connection: for migrations.
 */
export function open(url: string, { patient = false, ...more }: Options & { patient?: boolean } = {}): Sequelize {
  const options = {
    logging: false,
    retry: { max: 1 },
    define: { underscored: true },
    ...more,
  };
  if (url.startsWith('sqlite:')) {
    return new Sequelize({
      ...options,
      dialect: 'sqlite',
      dialectModule: sqlite3,
      storage: url.slice('sqlite:'.length),
      foreignKeys: false,
      transactionType: Transaction.TYPES.IMMEDIATE,
      // Only migrations make a file: one that is lost must not be replaced by an empty one.
      dialectOptions: { mode: sqlite3.OPEN_READWRITE | (patient ? sqlite3.OPEN_CREATE : 0) },
    } satisfies Undeclared as Options);
  }
  const server = new URL(url.replace(/^mariadb:/, 'mysql:'));
  const tls = server.searchParams.get('tls');
  server.search = '';
  const sequelize = new Sequelize(server.href, {
    ...options,
    dialect: 'mysql',
    timezone: '+00:00',
    keepDefaultTimezone: true, // set below together with the rest, and within PATIENCE
    pool: patient ? { max: 1, min: 0, idle: 600_000, acquire: 60_000 } : { max: 10, min: 0, idle: 10_000, acquire: 1500 },
    // mysql2's own reading of columns gives what our models declare; Sequelize's makes an object and three closures for each field.
    dialectOptions: { connectTimeout: 1000, charset: 'utf8mb4_bin', typeCast: true, ...(tls && { ssl: trusting(tls) }) },
  } satisfies Undeclared as Options);
  sequelize.addHook('afterConnect', (connection) => prepare(connection as MysqlConnection, patient));
  return sequelize;
}

/** `?tls=system` trusts the authorities that Node does, `?tls=/path/ca.pem` those in the file. Either way the server's name is checked, though mysql2 checks no IP address. */
const trusting = (tls: string) => ({
  rejectUnauthorized: true,
  verifyIdentity: true,
  ...(tls !== 'system' && { ca: readFileSync(tls, 'utf8') }),
});

/** Sequelize would wait for ever for a server that is frozen: cuts the connection when a command gets no answer. */
function giveUp(connection: MysqlConnection): void {
  const { stream } = connection;
  stream.setTimeout(PATIENCE);
  // A connection that is idle times out again and again; what is handed to setTimeout would hear of the first time only.
  stream.on('timeout', () => {
    const { _command: command } = connection;
    const { bytesRead } = stream;
    // After a look at the socket: when it was this process that was too busy, the answer is there.
    setImmediate(() => {
      if (command && connection._command === command && stream.bytesRead === bytesRead) stream.destroy();
    });
  });
}

function prepare(connection: MysqlConnection, patient: boolean): Promise<void> {
  if (!patient) giveUp(connection);
  return new Promise((resolve, reject) => {
    connection.query(sessionSettings(patient ? 0 : PATIENCE / 1000), (error) =>
      error
        ? reject(error)
        : connection.query('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED', (failed) => (failed ? reject(failed) : resolve())),
    );
  });
}

const AWAY = new Set([
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
const NAMELESS: Record<number, string> = { 1927: 'ER_CONNECTION_KILLED', 1969: 'ER_STATEMENT_TIMEOUT' };
const codeOf = (error: unknown) => {
  const { code, original } = error as { code?: string; original?: { code?: string; errno?: number } };
  return original?.code ?? NAMELESS[original?.errno ?? 0] ?? code ?? '';
};
/** The driver's code for an error, or its name: fit for a log or a terminal, for neither holds host, user or value. */
export const reasonOf = (error: unknown): string => codeOf(error) || (error as Error).name;

/** True when an error means that the database is away, full or too slow, not that the question was wrong. */
export function isDatabaseAway(error: unknown): boolean {
  if (error instanceof ConnectionError || error instanceof TimeoutError) return true;
  if (error instanceof DatabaseError) return AWAY.has(codeOf(error)) || (error.original as { fatal?: boolean }).fatal === true;
  return !(error instanceof BaseError) && error instanceof Error && AWAY.has(codeOf(error));
}

const CONFLICTS = new Set(['ER_LOCK_DEADLOCK', 'ER_TRANSACTION_ROLLBACK_DURING_COMMIT', 'ER_ERROR_DURING_COMMIT', 'ER_CHECKREAD']);
/** True when the database undid a transaction because of another one: running it again is right. */
export const isConflict = (error: unknown): boolean => error instanceof DatabaseError && CONFLICTS.has(codeOf(error));
