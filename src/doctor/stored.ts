import { dirname, join } from 'node:path';
import { Op } from 'sequelize';
import { migrationStatus } from '#migrations/index';
import type { Db } from '#models/index';
import type { Check, Found, Subject } from '#src/doctor/check';
import { isMissing } from '#src/doctor/database';
import { unsealSecret } from '#src/factors/totp';
import { canOpen } from '#src/keys/keyring';
import { openDatabase } from '#src/open-database';
import { createSecrets, type Secrets } from '#src/platform/crypto/secrets';
import { existingSecret } from '#src/platform/crypto/stored-secret';
import { reasonOf } from '#src/platform/database/errors';
import { sqliteFileOf } from '#src/platform/database/open';
import { commandName } from '#src/platform/command-name';
import type { Settings } from '#src/platform/settings/settings';
import { canOpenSecret } from '#src/webhooks/secrets';

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
  run: (subject) =>
    onStored(subject, 'signing_keys', 'made at the first start', async (db, secrets) => {
      const rows = await db.SigningKey.findAll();
      if (rows.length === 0) return { fine: 'made at the first start' };
      const held = secrets();
      const isOpen = rows.every((row) => canOpen(held, row));
      return {
        fine: `${rows.length} stored, APP_SECRET opens them`,
        wrong: isOpen
          ? []
          : [
              'APP_SECRET does not open the signing keys in this database: give the server the secret that it had, as APP_SECRET or APP_SECRET_PREVIOUS',
            ],
      };
    }),
};

/** So many of each kind are tried, the oldest first: a lost secret is an old one. */
const TRIED = 5000;

/** What is encrypted besides signing keys, and outlasts a change of APP_SECRET. A server starts without it. */
export const secrets: Check = {
  name: 'secrets',
  needsDatabase: true,
  run: (subject) =>
    onStored(subject, 'webhooks', 'none is stored', async (db, secrets) => {
      const oldest = { order: ['id'] as string[], limit: TRIED };
      const apps = await db.Factor.findAll({ where: { secret: { [Op.ne]: null } }, ...oldest });
      const webhooks = await db.Webhook.findAll(oldest);
      if (apps.length + webhooks.length === 0) return { fine: 'none is stored' };
      const held = secrets();
      const closed = {
        apps: apps.filter(({ secret }) => unsealSecret(held, secret!) === undefined).length,
        webhooks: webhooks.filter((row) => !canOpenSecret(held, row)).length,
      };
      return {
        fine: `${apps.length} of authenticator apps and ${webhooks.length} of webhooks, APP_SECRET opens them`,
        warnings: [
          closed.apps > 0 &&
            `APP_SECRET does not open the secrets of ${closed.apps} authenticator apps: their users need a recovery code or another factor, or \`${commandName()} user reset-mfa\`. ${GIVE_BACK}`,
          closed.webhooks > 0 &&
            `APP_SECRET does not open the secrets of ${closed.webhooks} webhooks: nothing is sent to them until \`${commandName()} webhook rotate-secret\`. ${GIVE_BACK}`,
        ].filter((text) => text !== false),
      };
    }),
};
const GIVE_BACK = 'If you have the secret of before, give it to the server as APP_SECRET_PREVIOUS';

/** Looks into a database that has this table. Otherwise the answer is `fine`. */
async function onStored(
  subject: Subject,
  table: string,
  fine: string,
  look: (db: Db, secrets: () => Secrets) => Promise<Found>,
): Promise<Found> {
  const { settings } = subject;
  if (isMissing(subject)) return { fine };
  const db = openDatabase(settings.databaseUrl);
  try {
    const tables = await db.sequelize.getQueryInterface().showAllTables();
    if (!tables.includes(table)) return { fine };
    return await look(db, () => existingSecrets(settings));
  } finally {
    await db.close();
  }
}

/** Without making a file for them, where there is none. */
function existingSecrets(settings: Settings): Secrets {
  const file = sqliteFileOf(settings.databaseUrl);
  if (file !== undefined && settings.appSecret === undefined)
    existingSecret(join(dirname(file), 'app-secret'));
  return createSecrets(settings);
}
