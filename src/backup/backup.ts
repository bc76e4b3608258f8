import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { DATABASE, MANIFEST, pack, SECRET, type Manifest } from '#src/backup/archive';
import { openDatabase } from '#src/open-database';
import { isoTime } from '#src/platform/clock';
import { existingSecret, storedSecret } from '#src/platform/crypto/stored-secret';
import { serversOf } from '#src/platform/database/hosts';
import { sqliteFileOf } from '#src/platform/database/open';
import { copyDatabase } from '#src/platform/database/sqlite-copy';
import type { Settings } from '#src/platform/settings/settings';
import { version } from '#src/version';

export interface Backup {
  file: string;
  bytes: number;
  createdAt: string;
  /** False if APP_SECRET is a setting, which the archive does not hold. */
  holdsSecret: boolean;
}

type BackupSettings = Pick<Settings, 'databaseUrl' | 'appSecret'>;

/**
 * Writes the embedded database and its secret into one new file. Servers may go on writing: what was answered before is
 * in it. The database is not changed, not even migrated.
 * @throws {Error} with a sentence
 */
export async function backUp(settings: BackupSettings, archive: string): Promise<Backup> {
  const database = embeddedDatabase(settings);
  if (existsSync(archive)) throw new Error(`${archive} exists: give the name of a new file.`);
  const createdAt = isoTime();
  const folder = await mkdtemp(join(dirname(resolve(archive)), '.sallyport-backup-'));
  const part = join(folder, 'archive');
  try {
    copyDatabase(database, join(folder, DATABASE));
    const secret = await secretOf(settings, database, join(folder, DATABASE));
    const sha256 = await hashOf(join(folder, DATABASE));
    const manifest: Manifest = { format: 1, version, createdAt, sha256 };
    await writeFile(join(folder, MANIFEST), JSON.stringify(manifest));
    if (secret) await writeFile(join(folder, SECRET), `${secret}\n`, { mode: 0o600 });
    await pack(folder, [MANIFEST, ...(secret ? [SECRET] : []), DATABASE], part);
    await rename(part, archive);
    const { size: bytes } = await stat(archive);
    return { file: archive, bytes, createdAt, holdsSecret: secret !== undefined };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** @throws {Error} if there is none, or if a database server has it */
function embeddedDatabase({ databaseUrl }: BackupSettings): string {
  const file = sqliteFileOf(databaseUrl);
  if (file === undefined) throw new Error(dumpAdvice(databaseUrl));
  if (!existsSync(file))
    throw new Error(`There is no database at ${file}. Is DATABASE_URL right, and the folder?`);
  return file;
}

/** Undefined if APP_SECRET is a setting. One is made for a database in which nothing was encrypted yet. */
async function secretOf(
  { appSecret }: BackupSettings,
  database: string,
  copy: string,
): Promise<string | undefined> {
  if (appSecret) return undefined;
  const db = openDatabase(`sqlite:${copy}`);
  try {
    const tables = await db.sequelize.getQueryInterface().showAllTables();
    const isUsed = tables.includes('signing_keys') && (await db.SigningKey.count()) > 0;
    return (isUsed ? existingSecret : storedSecret)(secretBeside(database));
  } finally {
    await db.close();
  }
}

export const secretBeside = (database: string): string => join(dirname(database), 'app-secret');

export async function hashOf(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** How a database server is backed up, and brought back. */
function dumpAdvice(databaseUrl: string): string {
  const { hostname, port, username, pathname } = serversOf(databaseUrl)[0];
  const server = `--host=${hostname} --port=${port || 3306} --user=${decodeURIComponent(username)} --password`;
  const name = pathname.slice(1);
  return [
    'A database server has tools of its own. Back it up with',
    `  mysqldump --single-transaction --default-character-set=utf8mb4 ${server} ${name} > sallyport.sql`,
    '(MariaDB: mariadb-dump), and keep APP_SECRET with it: without it the signing keys cannot be opened.',
    'To bring it back into an empty database:',
    `  mysql --default-character-set=utf8mb4 ${server} ${name} < sallyport.sql`,
    'docs/backup.md says what a restore brings back to life.',
  ].join('\n');
}
