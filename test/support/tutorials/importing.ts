import { randomBytes } from 'node:crypto';
import { commandLine } from '#test/support/command';
import { emptyDatabase } from '#test/support/database';
import { rowsOf, settingsFor } from '#test/support/process';

/** Makes an empty database of either engine. The old database is always on a server. */
export const destinations: Record<string, () => Promise<string>> = {
  'a server': emptyDatabase,
  'a file': async () => `sqlite:${process.cwd()}/${randomBytes(6).toString('hex')}.sqlite`,
};

/** `sallyport import tutorial` as an operator runs it. Commands of a test run one after the other. */
export function importerInto(databaseUrl: string, env: Record<string, string> = {}) {
  const cli = commandLine(settingsFor(databaseUrl, env));
  const run = async (line: string, input?: string) => {
    const before = process.exitCode;
    process.exitCode = undefined;
    try {
      const { code, stdout, stderr } = await cli(line, input);
      return {
        code: code || (process.exitCode as number | undefined) || 0,
        stderr,
        lines: stdout.split('\n').slice(0, -1),
      };
    } finally {
      process.exitCode = before;
    }
  };
  const bring = (from: string, tutorial: string, ...more: string[]) =>
    run(['import', 'tutorial', '--from', from, '--dialect', tutorial, ...more].join(' '));
  return { run, bring };
}

/** The rows of a database by table. */
export async function contentsOf(databaseUrl: string): Promise<Record<string, unknown[]>> {
  const list = databaseUrl.startsWith('sqlite:')
    ? "SELECT name FROM sqlite_master WHERE type = 'table'"
    : 'SHOW TABLES';
  const names = (await rowsOf(databaseUrl, list))
    .map((row) => String(Object.values(row)[0]))
    .sort();
  const contents: Record<string, unknown[]> = {};
  // The key of the audit trail is made by whoever opens the database first.
  for (const name of names.filter((each) => each !== 'audit_keys'))
    contents[name] = await rowsOf(databaseUrl, `SELECT * FROM ${name}`);
  return contents;
}
