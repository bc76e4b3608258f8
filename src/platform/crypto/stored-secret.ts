import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { SettingsError } from '#src/platform/settings/settings-error';

/**
 * The secret in this file. It is made once, with mode 0600. Two processes that start at the same time get the same one.
 *
 * @throws {SettingsError} when the file holds anything else, or when others can read it
 */
export function storedSecret(file: string): string {
  try {
    return readOrMake(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) throw error;
    throw new SettingsError([
      `${file} cannot be read or written (${code}): give this user permission for the file and its folder, or set APP_SECRET`,
    ]);
  }
}

function readOrMake(file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  const fresh = `${file}.${process.pid}`;
  if (existsSync(file)) return readSecret(file);
  writeFileSync(fresh, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flush: true });
  chmodSync(fresh, 0o600);
  try {
    linkSync(fresh, file); // fails if another process was first; a rename would replace its secret
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(fresh);
  }
  return readSecret(file);
}

/**
 * The same without making one.
 *
 * @throws {SettingsError} when there is none, too
 */
export function existingSecret(file: string): string {
  if (!existsSync(file))
    throw new SettingsError([
      `${file} is missing: it is the secret of the database beside it. Put it back, or set APP_SECRET`,
    ]);
  return readSecret(file);
}

/** Accepts only the form that was written: an empty file would encrypt the keys under a secret that everybody knows. */
function readSecret(file: string): string {
  const text = readFileSync(file, 'utf8').trim();
  if (!/^[\w-]{43}$/.test(text))
    throw new SettingsError([
      `${file} does not hold the secret that was written there: restore it from a backup`,
    ]);
  if ((statSync(file).mode & 0o077) !== 0)
    throw new SettingsError([
      `${file} can be read by others: chmod 600 it, and ask yourself who has`,
    ]);
  return text;
}
