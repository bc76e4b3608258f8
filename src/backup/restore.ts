import { existsSync, linkSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { migrationStatus } from '#migrations/index';
import { DATABASE, Manifest, MANIFEST, SECRET, unpack } from '#src/backup/archive';
import { hashOf, secretBeside } from '#src/backup/backup';
import { canOpen } from '#src/keys/keyring';
import { openContext } from '#src/open-context';
import { openDatabase } from '#src/open-database';
import { createSecrets } from '#src/platform/crypto/secrets';
import { existingSecret } from '#src/platform/crypto/stored-secret';
import { sqliteFileOf } from '#src/platform/database/open';
import { damageOf, isInUse } from '#src/platform/database/sqlite-copy';
import type { Settings } from '#src/platform/settings/settings';
import { endEverySession } from '#src/sessions/end-every-session';

export interface Restored {
  database: string;
  /** When the backup was made, and by which version. */
  createdAt: string;
  version: string;
  /** How many sessions ended; undefined if they were kept. */
  endedSessions?: number;
}

/** A backup that was taken out of its archive and verified. Nothing of it is in its place yet. */
interface Staged {
  database: string;
  secret: string | undefined;
  manifest: Manifest;
}

/**
 * Puts a backup in the place of the embedded database, where none may be. It is verified first; then the secret and the
 * database get their names, each in one step.
 * @throws {Error} with a sentence, before anything has changed
 */
export async function restore(
  settings: Settings,
  archive: string,
  { endSessions }: { endSessions: boolean },
): Promise<Restored> {
  const database = freePlace(settings);
  await mkdir(dirname(database), { recursive: true, mode: 0o700 });
  const folder = await mkdtemp(join(dirname(resolve(database)), '.sallyport-restore-'));
  try {
    const staged = await stage(settings, archive, folder);
    refuseOtherSecret(staged, secretBeside(database));
    const { createdAt, version } = staged.manifest;
    const restored: Restored = { database, createdAt, version };
    if (endSessions) restored.endedSessions = await endSessionsOf(settings, staged);
    await place(staged, folder, database);
    return restored;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function freePlace({ databaseUrl }: Settings): string {
  const file = sqliteFileOf(databaseUrl);
  if (file === undefined)
    throw new Error(
      'A database server has tools of its own: see docs/backup.md. Afterwards, `session end --everybody` ends what a restore brought back to life.',
    );
  if (existsSync(file) && isInUse(file))
    throw new Error(`A server is running on ${file}. Stop it first. Nothing was changed.`);
  const rest = [file, `${file}-wal`, `${file}-shm`].filter((each) => existsSync(each));
  if (rest.length > 0)
    throw new Error(
      `${rest.join(', ')} ${rest.length > 1 ? 'are' : 'is'} in the way, and a restore overwrites nothing: move the folder away first. Nothing was changed.`,
    );
  return file;
}

async function stage(settings: Settings, archive: string, folder: string): Promise<Staged> {
  if (!existsSync(archive)) throw new Error(`There is no file ${archive}.`);
  const [database, secretFile] = [join(folder, DATABASE), join(folder, SECRET)];
  try {
    unpack(archive, folder);
    if (existsSync(secretFile)) await chmod(secretFile, 0o600);
    const manifest = Manifest.parse(JSON.parse(readFileSync(join(folder, MANIFEST), 'utf8')));
    if ((await hashOf(database)) !== manifest.sha256) throw new Error('it was changed');
    const secret = existsSync(secretFile) ? existingSecret(secretFile) : undefined;
    const staged = { database, secret, manifest };
    await verify(settings, staged);
    return staged;
  } catch (cause) {
    if (cause instanceof Refused) throw cause;
    throw new Error(
      `${archive} is no backup of Sallyport, or it is damaged. Nothing was changed.`,
      {
        cause,
      },
    );
  }
}

/** A sentence about a backup that is whole. */
class Refused extends Error {}

async function verify(settings: Settings, staged: Staged): Promise<void> {
  const damage = damageOf(staged.database);
  if (damage) throw new Error(damage);
  const url = `sqlite:${staged.database}`;
  const unknown = (await migrationStatus(url)).find(({ status }) => status === 'unknown');
  if (unknown)
    throw new Refused(
      `A newer version of the server made this backup (${staged.manifest.version}): it has the migration ${unknown.name}. Restore it with that version. Nothing was changed.`,
    );
  const db = openDatabase(url);
  try {
    const secrets = createSecrets({ ...settingsOn(settings, staged), databaseUrl: url });
    const keys = await db.SigningKey.findAll();
    if (!keys.every((key) => canOpen(secrets, key)))
      throw new Refused(
        'APP_SECRET is not the one that this backup needs: its signing keys cannot be opened. Give the server that secret. Nothing was changed.',
      );
  } finally {
    await db.close();
  }
}

/** The secret that the server will use: the setting comes first. */
const settingsOn = (settings: Settings, { database, secret }: Staged): Settings => ({
  ...settings,
  databaseUrl: `sqlite:${database}`,
  appSecret: settings.appSecret ?? secret,
});

function refuseOtherSecret({ secret }: Staged, file: string): void {
  if (secret !== undefined && existsSync(file) && existingSecret(file) !== secret)
    throw new Error(`${file} is another secret: move it away first. Nothing was changed.`);
}

async function endSessionsOf(settings: Settings, staged: Staged): Promise<number> {
  const ctx = await openContext(settingsOn(settings, staged), { actorKind: 'cli' });
  try {
    return await endEverySession(ctx);
  } finally {
    await ctx.close();
  }
}

/** A link, not a rename: it never replaces a file. The secret comes first: a database without it would get another one. */
async function place({ secret }: Staged, folder: string, database: string): Promise<void> {
  const target = secretBeside(database);
  if (existsSync(join(folder, `${DATABASE}-wal`))) throw new Error('The copy was not closed.');
  for (const name of secret === undefined ? [DATABASE] : [SECRET, DATABASE]) {
    await chmod(join(folder, name), 0o600);
    await flush(join(folder, name));
    if (name === DATABASE) linkSync(join(folder, name), database);
    else if (!existsSync(target)) linkSync(join(folder, name), target);
  }
  await flush(dirname(database));
}

async function flush(path: string): Promise<void> {
  const handle = await open(path);
  await handle.sync().finally(() => handle.close());
}
