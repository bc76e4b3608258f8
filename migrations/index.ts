import { existsSync } from 'node:fs';
import type { QueryInterface } from 'sequelize';
import { openSequelize, sqliteFileOf } from '#src/platform/database/open';
import type { TransactionalSequelize } from '#src/platform/database/transactional-sequelize';
import { createHistory, historyOf, refuseUnknown, type MigrationStatus } from '#migrations/history';
import { locked } from '#migrations/lock';
import { foundation } from '#migrations/0001-foundation';
import { refresh } from '#migrations/0002-refresh';
import { strategies } from '#migrations/0003-strategies';
import { outbox } from '#migrations/0004-outbox';
import { limits } from '#migrations/0005-limits';
import { reauthentication } from '#migrations/0006-reauthentication';
import { signUps } from '#migrations/0007-sign-ups';
import { turns } from '#migrations/0008-turns';
import { userNumbers } from '#migrations/0012-user-numbers';
import { indexes } from '#migrations/0013-indexes';
import { factors } from '#migrations/0014-factors';
import { passkeys } from '#migrations/0015-passkeys';
import { identityGrants } from '#migrations/0016-identity-grants';
import { sessionAmr } from '#migrations/0017-session-amr';
import { permissions } from '#migrations/0018-permissions';
import { audit } from '#migrations/0019-audit';
import { invitations } from '#migrations/0020-invitations';
import { webhooks } from '#migrations/0021-webhooks';
import { impersonation } from '#migrations/0022-impersonation';
import { services } from '#migrations/0023-services';
import { impersonationIndex } from '#migrations/0024-impersonation-index';
import { dpop } from '#migrations/0025-dpop';
import { userLocale } from '#migrations/0026-user-locale';

/** Forth and back. Each step may run again after a crash. */
interface Migration {
  up: (schema: QueryInterface) => Promise<void>;
  down: (schema: QueryInterface) => Promise<void>;
}

/** The schema of record, oldest first. What was released is never changed: a correction is a new line. */
const migrations: Record<string, Migration> = {
  '0001-foundation': foundation,
  '0002-refresh': refresh,
  '0003-strategies': strategies,
  '0004-outbox': outbox,
  '0005-limits': limits,
  '0006-reauthentication': reauthentication,
  '0007-sign-ups': signUps,
  '0008-turns': turns,
  '0012-user-numbers': userNumbers,
  '0013-indexes': indexes,
  '0014-factors': factors,
  '0015-passkeys': passkeys,
  '0016-identity-grants': identityGrants,
  '0017-session-amr': sessionAmr,
  '0018-permissions': permissions,
  '0019-audit': audit,
  '0020-invitations': invitations,
  '0021-webhooks': webhooks,
  '0022-impersonation': impersonation,
  '0023-services': services,
  '0024-impersonation-index': impersonationIndex,
  '0025-dpop': dpop,
  '0026-user-locale': userLocale,
};

const migrationNames: readonly string[] = Object.keys(migrations);

/**
 * Brings a database to the newest schema and answers which migrations ran. Of several processes that start at once, on
 * any nodes of a cluster, one does it.
 * @throws {Error} with a sentence, for a database that a newer server has migrated, or that is not ours
 */
export const migrate = (url: string): Promise<string[]> =>
  on(url, async (database) => {
    const missing = () => namesWith(database, 'pending');
    if ((await missing()).length === 0) return [];
    return locked(url, database, async (confirm) => {
      const schema = database.getQueryInterface();
      await createHistory(schema);
      const found = await missing();
      for (const name of found) {
        await confirm();
        await migrations[name]!.up(schema);
        await schema.bulkInsert('migrations', [{ name }]);
      }
      return found;
    });
  });

/** Undoes migrations, newest first: the last one, or all. Their data is gone. */
export const rollback = (url: string, how: 'last' | 'all' = 'last'): Promise<string[]> =>
  undo(url, (done) => (how === 'all' ? done : done.slice(0, 1)));

/**
 * Undoes a migration and every newer one, newest first, and answers their names. Their data is gone.
 * @throws {Error} with a sentence, if this one did not run
 */
export const migrateDown = (url: string, name: string): Promise<string[]> =>
  undo(url, (done) => {
    if (done.length === 0) throw new Error('No migration ran on this database.');
    if (!done.includes(name))
      throw new Error(`There is no migration ${name} to undo. The newest one is ${done[0]}.`);
    return done.slice(0, done.indexOf(name) + 1);
  });

/** Which migrations a database has behind it, oldest first. Writes nothing. */
export async function migrationStatus(url: string): Promise<MigrationStatus[]> {
  const file = sqliteFileOf(url);
  if (file !== undefined && !existsSync(file))
    return migrationNames.map((name) => ({ name, status: 'pending' }));
  return on(url, (database) => historyOf(database.getQueryInterface(), migrationNames));
}

/** `which` chooses among those that ran, newest first. */
const undo = (url: string, which: (done: string[]) => string[]): Promise<string[]> =>
  on(url, (database) =>
    locked(url, database, async (confirm) => {
      const schema = database.getQueryInterface();
      const chosen = which((await namesWith(database, 'done')).toReversed());
      for (const name of chosen) {
        await confirm();
        await migrations[name]!.down(schema);
        await schema.bulkDelete('migrations', { name });
      }
      return chosen;
    }),
  );

async function namesWith(
  database: TransactionalSequelize,
  status: MigrationStatus['status'],
): Promise<string[]> {
  const history = await historyOf(database.getQueryInterface(), migrationNames);
  refuseUnknown(history);
  return history.filter((each) => each.status === status).map(({ name }) => name);
}

async function on<T>(url: string, work: (database: TransactionalSequelize) => Promise<T>) {
  const database = openSequelize(url, { noTimeout: true });
  try {
    return await work(database);
  } finally {
    await database.close();
  }
}
