import { dirname, join } from 'node:path';
import { migrationStatus } from '#migrations/index';
import type { Check, Found } from '#src/doctor/check';
import { isMissing } from '#src/doctor/database';
import { canOpen } from '#src/keys/keyring';
import { openDatabase } from '#src/open-database';
import { createSecrets } from '#src/platform/crypto/secrets';
import { existingSecret } from '#src/platform/crypto/stored-secret';
import { reasonOf } from '#src/platform/database/errors';
import { sqliteFileOf } from '#src/platform/database/open';
import { commandName } from '#src/platform/command-name';

export const migrations: Check = {
  name: 'migrations',
  needsDatabase: true,
  run: async ({ settings }): Promise<Found> => {
    const all = await migrationStatus(settings.databaseUrl).catch(foreign);
    if (typeof all === 'string') return { wrong: [all] };
    const named = (which: string) =>
      all.filter(({ status }) => status === which).map(({ name }) => name);
    const [pending, unknown] = [named('pending'), named('unknown')];
    return {
      fine: pending.length > 0 ? `the next start makes ${pending.join(', ')}` : 'none is pending',
      wrong:
        unknown.length > 0
          ? [
              `A newer server has migrated this database (${unknown.join(', ')}): run that version, or undo them there with \`${commandName()} migrate down\``,
            ]
          : [],
    };
  },
};

/** The sentence about a database of another program. Errors of drivers have codes, and are thrown again. */
function foreign(error: Error): string {
  if (reasonOf(error) !== 'Error') throw error;
  return error.message;
}

export const keys: Check = {
  name: 'keys',
  needsDatabase: true,
  run: async (subject): Promise<Found> => {
    const { settings } = subject;
    const file = sqliteFileOf(settings.databaseUrl);
    if (isMissing(subject)) return { fine: 'made at the first start' };
    const db = openDatabase(settings.databaseUrl);
    try {
      const tables = await db.sequelize.getQueryInterface().showAllTables();
      if (!tables.includes('signing_keys')) return { fine: 'made at the first start' };
      const rows = await db.SigningKey.findAll();
      if (rows.length === 0) return { fine: 'made at the first start' };
      if (file !== undefined && settings.appSecret === undefined)
        existingSecret(join(dirname(file), 'app-secret')); // opening the secrets would make one
      const secrets = createSecrets(settings);
      const closed = rows.filter((row) => !canOpen(secrets, row));
      return {
        fine: `${rows.length} stored, APP_SECRET opens them`,
        wrong:
          closed.length > 0
            ? [
                'APP_SECRET does not open the signing keys in this database: give the server the secret that it had, as APP_SECRET or APP_SECRET_PREVIOUS',
              ]
            : [],
      };
    } finally {
      await db.close();
    }
  },
};
