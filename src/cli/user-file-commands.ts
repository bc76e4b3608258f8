import { createReadStream } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { say, type OnDatabase } from '#src/cli/command';
import type { Context } from '#src/context';
import { exportUsers } from '#src/import-export/export-users';
import { importUsers, type ImportedLine } from '#src/import-export/import-users';

export function addUserFileCommands(user: Command, run: OnDatabase): void {
  user
    .command('import')
    .description('Bring users in from a file, one JSON object a line; can be run again')
    .argument('<file>', 'see docs/migrating-users.md; - for standard input')
    .option('--dry-run', 'say what would be done, and do nothing')
    .action(run(importFile));
  user
    .command('export')
    .description('Write users to a file that only you may read, or to standard output')
    .argument('[file]')
    .option('--with-password-hashes', 'with what others could guess the passwords from')
    .action(run(exportFile));
}

async function importFile(
  ctx: Context,
  file: string,
  { dryRun = false }: { dryRun?: boolean },
): Promise<void> {
  const count = { imported: 0, unchanged: 0, refused: 0 };
  let admins = 0;
  const report = ({ number, outcome, detail }: ImportedLine) => {
    count[outcome]++;
    if (outcome === 'imported' && detail.split(',').includes('admin')) admins++;
    say([number, outcome, detail].join('\t').trimEnd());
  };
  await importUsers(ctx, file === '-' ? process.stdin : chunksOf(file), report, dryRun);
  const { imported, unchanged, refused } = count;
  const nothing = dryRun ? ' Nothing was changed.' : '';
  say(`${imported} imported, ${unchanged} unchanged, ${refused} refused.${nothing}`);
  if (admins > 0) say(`Administrators among the imported: ${admins}.`);
  if (refused > 0) process.exitCode = 1;
}

async function* chunksOf(file: string): AsyncGenerator<Buffer> {
  try {
    yield* createReadStream(file);
  } catch (error) {
    throw fileError(error, 'read');
  }
}

async function exportFile(
  ctx: Context,
  file: string | undefined,
  { withPasswordHashes = false }: { withPasswordHashes?: boolean },
): Promise<void> {
  const users = exportUsers(ctx, withPasswordHashes);
  if (file === undefined) {
    for await (const line of users) if (!process.stdout.write(line)) await drained();
    return;
  }
  // Written under another name first: an existing file is replaced as a whole, and its mode is not kept.
  const part = `${file}.${process.pid}.part`;
  let count = 0;
  async function* lines() {
    for await (const line of users) {
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

/** An error of the file system as a sentence. */
function fileError(error: unknown, done: string): unknown {
  const { syscall, code } = error as NodeJS.ErrnoException;
  return syscall && code
    ? new Error(`The file cannot be ${done} (${code}).`, { cause: error })
    : error;
}
