import { createReadStream } from 'node:fs';
import { rename, rm, writeFile } from 'node:fs/promises';
import { Option, type Command } from 'commander';
import { sentence, teller, type Answer } from '#src/cli/answer';
import type { OnDatabase } from '#src/cli/command';
import { labelOf, userNamed } from '#src/cli/user-named';
import type { Context } from '#src/context';
import { entriesOf, EVERY_OBJECT, jsonEntries, type Entry } from '#src/import-export/entries';
import { exportUser } from '#src/personal-data/export-user';
import { exportUsers } from '#src/import-export/export-users';
import { importUsers, LOCKED_OUT, type ImportedLine } from '#src/import-export/import-users';
import { userSources } from '#src/import-export/sources/index';

export function addUserFileCommands(user: Command, run: OnDatabase): void {
  user
    .command('import')
    .description('Bring users in from a file; can be run again')
    .argument('<file>', 'see docs/migrating-users.md; - for standard input')
    .addOption(
      new Option('--from <system>', 'whose export it is').choices(Object.keys(userSources)),
    )
    .option('--with <file>', 'the second file of that system: hashes, parameters or accounts')
    .option('--dry-run', 'say what would be done, and do nothing')
    .action(run(importFile));
  user
    .command('export')
    .description('Write users to a file that only you may read, or to standard output')
    .argument('[file]')
    .option('--of <user>', 'everything the server knows of this one user, as one JSON document')
    .option(
      '--with-password-hashes',
      'with what others could guess the passwords from, and the secrets of second factors',
    )
    .action(run(exportFile));
}

interface ImportOptions {
  from?: string;
  with?: string;
  dryRun?: boolean;
}

async function importFile(
  ctx: Context,
  file: string,
  options: ImportOptions,
  command: Command,
): Promise<void> {
  const { dryRun = false } = options;
  const tell = teller(command);
  const count = { imported: 0, unchanged: 0, refused: 0 };
  let [admins, lockedOut, withoutFactor] = [0, 0, 0];
  const report = ({ number, outcome, detail, notCarried = [], ...line }: ImportedLine) => {
    count[outcome]++;
    if (outcome === 'imported' && detail.split(',').includes('admin')) admins++;
    if (line.note?.startsWith(LOCKED_OUT)) lockedOut++;
    if (notCarried.length > 0) withoutFactor++;
    const missing =
      notCarried.length > 0 ? [`without a second factor: ${notCarried.join(', ')}`] : [];
    const note = [line.note, ...missing].filter(Boolean).join('; ');
    const text = [number, outcome, detail, ...(note ? [note] : [])].join('\t').trimEnd();
    tell(text, { number, outcome, detail, note: note || undefined });
  };
  const { entries, convert } = await openFile(ctx, file, options);
  await importUsers(ctx, entries, report, { ...(convert && { convert }), dryRun });
  const { imported, unchanged, refused } = count;
  const nothing = dryRun ? ' Nothing was changed.' : '';
  const text = `${imported} imported, ${unchanged} unchanged, ${refused} refused.${nothing}`;
  tell(text, { ...count, admins, lockedOut, withoutFactor, dryRun });
  if (admins > 0) tell(`Administrators among the imported: ${admins}.`);
  if (lockedOut > 0) tell(`Imported, but cannot sign in: ${lockedOut}.`);
  if (withoutFactor > 0) tell(`Imported without a second factor that they had: ${withoutFactor}.`);
  if (refused > 0) process.exitCode = 1;
}

/** The users in the file, and how to read them. */
async function openFile({ clock }: Context, file: string, { from, with: second }: ImportOptions) {
  const chunks = file === '-' ? process.stdin : chunksOf(file);
  const source = from === undefined ? undefined : userSources[from];
  if (second !== undefined && !source?.second)
    throw new Error('--with is for systems that write two files: see docs/migrating-users.md');
  if (!source) return { entries: jsonEntries(chunks, EVERY_OBJECT) };
  const convert = await source.open(
    second === undefined ? undefined : chunksOf(second),
    clock.now(),
  );
  const entries: AsyncGenerator<Entry> = entriesOf(chunks, source.paths, source.columns);
  return { entries, convert };
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
  { withPasswordHashes = false, of }: { withPasswordHashes?: boolean; of?: string },
): Promise<Answer | void> {
  if (of !== undefined && withPasswordHashes)
    throw new Error('--of writes no password hashes: leave out --with-password-hashes.');
  const one = of === undefined ? undefined : await userNamed(ctx, of);
  const users = one ? await exportUser(ctx, one.id) : exportUsers(ctx, withPasswordHashes);
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
  if (one) return sentence(`${labelOf(one)} is written.`, { file, userId: one.id });
  const without = withPasswordHashes
    ? ''
    : ' Without password hashes and secrets of second factors.';
  return sentence(`${count} users written.${without}`, { file, written: count });
}

const drained = () => new Promise((resolve) => process.stdout.once('drain', resolve));

/** An error of the file system as a sentence. */
function fileError(error: unknown, done: string): unknown {
  const { syscall, code } = error as NodeJS.ErrnoException;
  return syscall && code
    ? new Error(`The file cannot be ${done} (${code}).`, { cause: error })
    : error;
}
