import { readFileSync } from 'node:fs';
import { Transaction, type Options } from 'sequelize';
import { bindComparedValues } from '#src/platform/database/bound-values';
import { connectInTurn, type MysqlConnection } from '#src/platform/database/failover';
import { serversOf } from '#src/platform/database/hosts';
import { sqliteModule } from '#src/platform/database/sqlite';
import { transactional } from '#src/platform/database/transaction';
import type { TransactionalSequelize } from '#src/platform/database/transactional-sequelize';

/** A statement may take this long, in milliseconds. Then the database counts as unavailable. */
const STATEMENT_TIMEOUT_MS = 2000;
/**
 * Prepared statements that a connection keeps. The driver's own limit is 16,000, which is all that a server allows to
 * all of its clients together.
 */
const MAX_PREPARED_STATEMENTS = 64;

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

interface OpenOptions extends Options {
  /** For migrations and imports: statements may take as long as they need, on a single connection. */
  noTimeout?: boolean;
  /** A statement that writes was sent to the embedded database. */
  onWrite?: () => void;
}

export const sqliteFileOf = (url: string): string | undefined =>
  url.startsWith('sqlite:') ? url.slice('sqlite:'.length) : undefined;

/** Opens a database. Nothing is sent before the first query. */
export function openSequelize(url: string, options: OpenOptions = {}): TransactionalSequelize {
  const { noTimeout = false, onWrite = () => {}, ...more } = options;
  const shared = { logging: false, retry: { max: 1 }, define: { underscored: true }, ...more };
  const file = sqliteFileOf(url);
  const sequelize =
    file === undefined
      ? openServer(url, shared, noTimeout)
      : openEmbedded(file, shared, noTimeout, onWrite);
  bindComparedValues(sequelize);
  return sequelize;
}

function openEmbedded(storage: string, shared: object, create: boolean, onWrite: () => void) {
  const sqlite3 = sqliteModule(onWrite);
  return transactional(undefined, {
    ...shared,
    dialect: 'sqlite',
    dialectModule: sqlite3,
    storage,
    foreignKeys: false,
    transactionType: Transaction.TYPES.IMMEDIATE,
    // Only migrations create a file: a lost one must not be replaced by an empty one.
    dialectOptions: { mode: sqlite3.OPEN_READWRITE | (create ? sqlite3.OPEN_CREATE : 0) },
  } satisfies Undeclared as Options);
}

function openServer(url: string, shared: object, noTimeout: boolean) {
  const servers = serversOf(url.replace(/^mariadb:/, 'mysql:'));
  const [server] = servers;
  const tls = server.searchParams.get('tls');
  server.search = '';
  const sequelize = transactional(server.href, {
    ...shared,
    dialect: 'mysql',
    timezone: '+00:00',
    keepDefaultTimezone: true, // set in `prepare` together with the rest
    pool: noTimeout
      ? { max: 1, min: 0, idle: 600_000, acquire: 60_000 }
      : { max: 10, min: 0, idle: 10_000, acquire: 1500 },
    // mysql2 reads columns as our models declare them. Sequelize's reader makes an object and three closures a field.
    dialectOptions: {
      connectTimeout: 1000,
      charset: 'utf8mb4_bin',
      typeCast: true,
      maxPreparedStatements: MAX_PREPARED_STATEMENTS,
      ...(tls && { ssl: tlsOptions(tls) }),
    },
  } satisfies Undeclared as Options);
  connectInTurn(sequelize, servers, (connection) =>
    prepare(connection, { noTimeout, mustWrite: servers.length > 1 }),
  );
  return sequelize;
}

/**
 * `?tls=system` trusts the authorities that Node trusts, `?tls=/path/ca.pem` those in the file. The name of the server
 * is checked in both cases. mysql2 does not check IP addresses.
 */
const tlsOptions = (tls: string) => ({
  rejectUnauthorized: true,
  verifyIdentity: true,
  ...(tls !== 'system' && { ca: readFileSync(tls, 'utf8') }),
});

/** Sequelize would wait for ever for a frozen server. This cuts the connection when a command gets no answer. */
function destroyOnTimeout(connection: MysqlConnection): void {
  const { stream } = connection;
  stream.setTimeout(STATEMENT_TIMEOUT_MS);
  // An idle connection times out again and again. A callback given to setTimeout would hear only the first time.
  stream.on('timeout', () => {
    const { _command: command } = connection;
    const { bytesRead } = stream;
    // Only after a look at the socket: if this process was too busy, the answer has arrived.
    setImmediate(() => {
      if (command && connection._command === command && stream.bytesRead === bytesRead)
        stream.destroy();
    });
  });
}

interface Variable {
  Variable_name: string;
  Value: string;
}
const CLUSTER_VARIABLES = `SHOW VARIABLES WHERE Variable_name IN ('wsrep_on',
  'group_replication_consistency', 'group_replication_enforce_update_everywhere_checks')`;

/**
 * On a cluster: what one node has committed is read on every other one. Without it a session that was ended on one node
 * would live on for some milliseconds on the others.
 */
function clusterSettings(variables: readonly Variable[]): string {
  const value = (name: string) => variables.find((each) => each.Variable_name === name)?.Value;
  if (value('wsrep_on') === 'ON') return ', wsrep_sync_wait = @@GLOBAL.wsrep_sync_wait | 1';
  if (value('group_replication_enforce_update_everywhere_checks') === 'ON')
    throw new Error(
      'MySQL refuses foreign keys that cascade while group_replication_enforce_update_everywhere_checks is ON. Use Group Replication in the single-primary mode.',
    );
  const consistency = value('group_replication_consistency');
  if (consistency === undefined || consistency.startsWith('BEFORE_AND')) return '';
  const isAfter = consistency === 'AFTER';
  return `, group_replication_consistency = '${isAfter ? 'BEFORE_AND_AFTER' : 'BEFORE'}'`;
}

interface Preparation {
  noTimeout: boolean;
  /** There are other hosts: one that has left its cluster, or that is read-only, is no good. */
  mustWrite: boolean;
}

async function prepare(
  connection: MysqlConnection,
  { noTimeout, mustWrite }: Preparation,
): Promise<void> {
  if (!noTimeout) destroyOnTimeout(connection);
  const run = (sql: string) =>
    new Promise<unknown>((resolve, reject) => {
      connection.query(sql, (error: Error | null, rows: unknown) =>
        error ? reject(error) : resolve(rows),
      );
    });
  const variables = (await run(CLUSTER_VARIABLES)) as Variable[];
  const settings = sessionSettings(noTimeout ? 0 : STATEMENT_TIMEOUT_MS / 1000);
  await run(settings + clusterSettings(variables));
  await run('SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED');
  if (!mustWrite) return;
  const [row] = (await run('SELECT @@GLOBAL.read_only AS isReadOnly')) as { isReadOnly: number }[];
  if (row!.isReadOnly)
    throw Object.assign(new Error('The host is read-only'), {
      code: 'ER_OPTION_PREVENTS_STATEMENT',
    });
}
