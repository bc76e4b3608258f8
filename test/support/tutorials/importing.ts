import { randomBytes } from 'node:crypto';
import { commandLine } from '#test/support/command';
import { emptyDatabase } from '#test/support/database';
import { rowsOf, settingsFor } from '#test/support/process';

/** An empty database of either engine: the old one is on a server, whatever the new one is. */
export const destinations: Record<string, () => Promise<string>> = {
  'a server': emptyDatabase,
  'a file': async () => `sqlite:${process.cwd()}/${randomBytes(6).toString('hex')}.sqlite`,
};

/** `sallyport import tutorial`, as an operator runs it; only one of them in a test. */
export async function importerInto(databaseUrl: string, env: Record<string, string> = {}) {
  const cli = await commandLine(settingsFor(databaseUrl, env));
  const run = async (line: string, input?: string) => {
    const before = process.exitCode;
    process.exitCode = undefined;
    try {
      const { code, stdout, stderr } = await cli(line, input);
      return { code: code || (process.exitCode as number | undefined) || 0, stderr, lines: stdout.split('\n').slice(0, -1) };
    } finally {
      process.exitCode = before;
    }
  };
  const bring = (from: string, dialect: string, ...more: string[]) =>
    run(['import', 'tutorial', '--from', from, '--dialect', dialect, ...more].join(' '));
  return { run, bring };
}

/** Everything that is in a database, table by table. */
export async function contentsOf(databaseUrl: string): Promise<Record<string, unknown[]>> {
  const list = databaseUrl.startsWith('sqlite:') ? "SELECT name FROM sqlite_master WHERE type = 'table'" : 'SHOW TABLES';
  const names = (await rowsOf(databaseUrl, list)).map((row) => String(Object.values(row)[0])).sort();
  const contents: Record<string, unknown[]> = {};
  for (const name of names) contents[name] = await rowsOf(databaseUrl, `SELECT * FROM ${name}`);
  return contents;
}
