import { accessSync, constants, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { BaseError } from 'sequelize';
import { isDatabaseUnavailable, reasonOf } from '#src/platform/database/errors';
import { hostsIn, serversOf } from '#src/platform/database/hosts';
import { sqliteFileOf } from '#src/platform/database/open';
import { StartError } from '#src/platform/start-error';

/**
 * What keeps a server from opening its database, as a sentence with the setting and the remedy. No sentence holds a user
 * or a password. Errors of another kind are answered as they are.
 */
export function databaseFault(error: unknown, url: string): unknown {
  if (!isOfDatabase(error)) return error;
  const file = sqliteFileOf(url);
  const sentence =
    file === undefined ? serverFault(reasonOf(error), url) : fileFault(reasonOf(error), file);
  return sentence === undefined ? error : new StartError(sentence, error);
}

const isOfDatabase = (error: unknown): boolean =>
  error instanceof BaseError ||
  isDatabaseUnavailable(error) ||
  typeof (error as { syscall?: unknown } | undefined)?.syscall === 'string';

const CERTIFICATE = /CERT|SELF_SIGNED|LEAF_SIGNATURE|ISSUER|HANDSHAKE_SSL/;

function serverFault(reason: string, url: string): string | undefined {
  const [{ pathname }] = serversOf(url);
  const at = `The database at ${hostsIn(url)}`;
  const name = decodeURIComponent(pathname.slice(1));
  if (reason === 'ECONNREFUSED')
    return `${at} does not answer (${reason}). Is it running, and are host and port in DATABASE_URL right?`;
  if (['ENOTFOUND', 'EAI_AGAIN'].includes(reason))
    return `${at} cannot be found (${reason}): no machine has this name. Correct the host in DATABASE_URL`;
  if (/ACCESS_DENIED|DBACCESS/.test(reason))
    return `${at} refuses us (${reason}). Are user, password and database name in DATABASE_URL right, and may the user use the database? Special characters of a password are percent-encoded`;
  if (reason === 'ER_BAD_DB_ERROR')
    return `${at} has no database ${name} (${reason}): create it (CREATE DATABASE), or correct its name in DATABASE_URL`;
  if (/SECURE_TRANSPORT/.test(reason))
    return `${at} wants an encrypted connection (${reason}): add ?tls=system or ?tls=/path/ca.pem to DATABASE_URL`;
  if (reason === 'HANDSHAKE_NO_SSL_SUPPORT')
    return `${at} does not speak TLS (${reason}): switch TLS on there, or remove ?tls= from DATABASE_URL`;
  if (CERTIFICATE.test(reason))
    return `${at} shows a certificate that is not trusted (${reason}): name the file of its authority in DATABASE_URL (?tls=/path/ca.pem), and its host as the certificate does`;
  if (/^ER_NOT_SUPPORTED_AUTH|AUTH_SWITCH|PLUGIN/.test(reason))
    return `${at} wants a way of signing in that is not supported (${reason}): give its user another one (caching_sha2_password, mysql_native_password)`;
  if (/^(PROTOCOL|ERR_|EPROTO|HANDSHAKE)|^SequelizeConnectionError$/.test(reason))
    return `${at} does not speak as MySQL or MariaDB does (${reason}): is the port in DATABASE_URL right?`;
  if (/DISK_FULL|RECORD_FILE_FULL/.test(reason))
    return `${at} is full (${reason}): free some space there`;
  if (/READ_ONLY|OPTION_PREVENTS/.test(reason))
    return `${at} is read-only (${reason}): name the one that can be written in DATABASE_URL`;
  if (/ETIMEDOUT|UNREACH|RESET|LOST|EPIPE|Acquire|CON_COUNT|CONNECTIONS|SHUTDOWN/.test(reason))
    return `${at} does not answer (${reason}). Is it running, is it reachable from here, and is DATABASE_URL right?`;
  if (/^ER_(TABLEACCESS|SPECIFIC_ACCESS|CREATE|.*DENIED)/.test(reason))
    return `${at} does not let its user change the schema (${reason}): GRANT ALL on the database of DATABASE_URL to it`;
  return undefined;
}

function fileFault(reason: string, name: string): string | undefined {
  const file = resolve(name);
  const folder = dirname(file);
  const why = `(DATABASE_URL, ${reason})`;
  if (/ENOSPC|FULL|EDQUOT|EFBIG/.test(reason))
    return `The disk is full where the database is: free some space in ${folder} ${why}`;
  if (
    reason === 'EROFS' ||
    (/READONLY|CANTOPEN|EACCES|EPERM/.test(reason) && isReadOnly(dirname(name)))
  )
    return `${folder} is on a file system that is read-only: mount it writable, or name a file elsewhere ${why}`;
  if (isFolder(name)) return `${file} is a folder: name a file for the database ${why}`;
  if (reason === 'SQLITE_NOTADB')
    return `${file} is no SQLite database: name another file, or restore it from a backup ${why}`;
  if (reason === 'SQLITE_CORRUPT') return `${file} is damaged: restore it from a backup ${why}`;
  if (reason === 'SQLITE_BUSY')
    return `${file} is held by another program: end that program, or wait for it ${why}`;
  if (['EEXIST', 'ENOTDIR'].includes(reason) || isBelowFile(dirname(name)))
    return `${folder} is no folder, because a part of it is a file: correct the path ${why}`;
  if (/READONLY|CANTOPEN|EACCES|EPERM|ENOENT/.test(reason)) {
    const [what, path] = exists(name) && !isWritable(name) ? ['file', file] : ['folder', folder];
    return `The ${what} ${path} cannot be written by this user: give it write permission (chown, chmod), or name another file ${why}`;
  }
  if (/^(SQLITE_|E[A-Z]+$)/.test(reason))
    return `${file} cannot be read or written: is the disk broken or full? ${why}`;
  return undefined;
}

const passes = (work: () => unknown): boolean => {
  try {
    return work() !== false;
  } catch {
    return false;
  }
};
const exists = (path: string) => passes(() => statSync(path));
const isFolder = (path: string) => passes(() => statSync(path).isDirectory());
const isWritable = (path: string) => passes(() => accessSync(path, constants.W_OK));
/** A part of the path is there and is no folder. */
const isBelowFile = (folder: string): boolean =>
  exists(folder) ? !isFolder(folder) : dirname(folder) !== folder && isBelowFile(dirname(folder));
const isReadOnly = (folder: string): boolean => {
  try {
    accessSync(folder, constants.W_OK);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS';
  }
};
