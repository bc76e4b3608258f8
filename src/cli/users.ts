import { createReadStream } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { onDatabase, say } from '#src/cli/command';
import { exportUsers } from '#src/users/export-users';
import { importUsers, type ImportedLine } from '#src/users/import-users';

export function addUserFileCommands(user: Command): void {
  user
    .command('import')
    .description('Bring users in from a file, one JSON object a line; can be run again')
    .argument('<file>', 'see docs/migrating-users.md; - for standard input')
    .option('--dry-run', 'say what would be done, and do nothing')
    .action(onDatabase(bringIn));
  user
    .command('export')
    .description('Write users to a file that only you may read, or to standard output')
    .argument('[file]')
    .option('--with-password-hashes', 'with what others could guess the passwords from')
    .action(onDatabase(writeOut));
}

async function bringIn(file: string, { dryRun = false }: { dryRun?: boolean }): Promise<void> {
  const count = { imported: 0, unchanged: 0, refused: 0 };
  let admins = 0;
  const tell = ({ number, outcome, detail }: ImportedLine) => {
    count[outcome]++;
    if (outcome === 'imported' && detail.split(',').includes('admin')) admins++;
    say([number, outcome, detail].join('\t').trimEnd());
  };
  await importUsers(file === '-' ? process.stdin : chunksOf(file), tell, dryRun);
  say(`${count.imported} imported, ${count.unchanged} unchanged, ${count.refused} refused.${dryRun ? ' Nothing was changed.' : ''}`);
  if (admins > 0) say(`Administrators among the imported: ${admins}.`);
  if (count.refused > 0) process.exitCode = 1;
}

async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file);
  } catch (error) {
    throw fileError(error, 'read');
  }
}

async function writeOut(file: string | undefined, { withPasswordHashes = false }: { withPasswordHashes?: boolean }): Promise<void> {
  if (file === undefined) {
    for await (const line of exportUsers(withPasswordHashes)) if (!process.stdout.write(line)) await drained();
    return;
  }
  // Beside it first: what was there before keeps neither its mode nor half of its lines.
  const part = `${file}.${process.pid}.part`;
  let count = 0;
  async function* lines() {
    for await (const line of exportUsers(withPasswordHashes)) {
      yield line;
      count++;
    }
  }
  try {
    await writeFile(part, lines(), { flag: 'wx', mode: 0o600, flush: true });
    await rename(part, file);
  } catch (error) {
    await rm(part, { force: true });
    throw fileError(error, 'written');
  }
  say(`${count} users written.${withPasswordHashes ? '' : ' Without password hashes.'}`);
}

const drained = () => new Promise((resolve) => process.stdout.once('drain', resolve));

/** What the system says of a file, as a sentence. */
function fileError(error: unknown, done: string): unknown {
  const { syscall, code } = error as NodeJS.ErrnoException;
  return syscall && code ? new Error(`The file cannot be ${done} (${code}).`, { cause: error }) : error;
}
