import { describe, expect, it } from 'vitest';
import { migrate, migrationStatus } from '#migrations/index';
import { serve } from '#src/server-program';
import { testEnv } from '#test/support/app';
import { commandLine } from '#test/support/command';
import { emptyDatabase } from '#test/support/database';
import { rowsOf } from '#test/support/process';

const databaseFor = async () => {
  const url = await emptyDatabase();
  const env = testEnv(url);
  const shell = commandLine(env);
  const does = async (line: string) => {
    const { code, stdout, stderr } = await shell(line);
    expect([code, stderr], line).toEqual([0, '']);
    return stdout;
  };
  const refuses = async (line: string, sentence: RegExp) => {
    const { code, stdout, stderr } = await shell(line);
    expect([code, stdout], line).toEqual([1, '']);
    expect(stderr).toMatch(sentence);
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
  };
  const json = async (line: string) => JSON.parse(await does(`${line} --json`));
  return { url, env, does, refuses, json };
};
const namesOf = async (url: string) =>
  (await rowsOf(url, 'SELECT name FROM migrations ORDER BY name')).map(({ name }) => name);
/** What a newer server would leave. */
const migrateFurther = (url: string, name = '0999-later') =>
  rowsOf(url, `INSERT INTO migrations (name) VALUES ('${name}')`);

describe('sallyport migrate', () => {
  it('status lists what will run and what ran, and writes nothing', async () => {
    const { url, does, json } = await databaseFor();
    const before = await json('migrate status');
    expect(before.nextCursor).toBeNull();
    expect(before.data[0]).toEqual({ name: '0001-foundation', status: 'pending' });
    expect(new Set(before.data.map((row: { status: string }) => row.status))).toEqual(
      new Set(['pending']),
    );
    expect(await does('migrate status')).toMatch(/^MIGRATION +STATUS\n0001-foundation +pending\n/);
    expect((await migrationStatus(url)).every(({ status }) => status === 'pending')).toBe(true);
    const { migrated } = await json('migrate up');
    expect(migrated).toEqual(before.data.map(({ name }: { name: string }) => name));
    expect(await does('migrate')).toBe('The schema is up to date.\n');
    expect(await does('migrate status')).toMatch(/0001-foundation +done\n/);
    await migrateFurther(url);
    expect((await json('migrate status')).data.at(-1)).toEqual({
      name: '0999-later',
      status: 'unknown',
    });
  });

  it('down undoes a migration with all newer ones, and asks first', async () => {
    const { url, does, refuses, json } = await databaseFor();
    const names = await migrate(url);
    await refuses('migrate down 0007-sign-ups', /confirm it with --yes\. Nothing was changed\.$/m);
    await refuses('migrate down 0007 --yes', /^There is no migration 0007 to undo/);
    expect(await namesOf(url)).toEqual(names);
    const { undone } = await json('migrate down 0007-sign-ups --yes');
    expect(undone).toEqual(names.slice(names.indexOf('0007-sign-ups')).toReversed());
    expect(await namesOf(url)).toEqual(names.filter((name) => !undone.includes(name)));
    await refuses('migrate down 0007-sign-ups --yes', /^There is no migration 0007-sign-ups/);
    expect(await does('migrate')).toBe(`Migrated: ${undone.toReversed().join(', ')}\n`);
    await does('migrate down 0001-foundation --yes');
    await refuses('migrate down 0001-foundation --yes', /^No migration ran on this database/);
    expect(await migrate(url)).toEqual(names);
  });
});

describe('X-14 a database that a newer server has migrated', () => {
  const sentence =
    /^This database was migrated by a newer Sallyport \(0999-later\): start that version again, .*`.*migrate down 0999-later`/;

  it('is refused by every command, with the remedy', async () => {
    const { url, refuses } = await databaseFor();
    const names = await migrate(url);
    await migrateFurther(url);
    for (const line of ['migrate', 'user list', 'migrate down 0007-sign-ups --yes'])
      await refuses(line, sentence);
    expect(await namesOf(url)).toEqual([...names, '0999-later']);
  });

  it('is refused by the server, also where a migration of its own is missing', async () => {
    const { url, env } = await databaseFor();
    const names = await migrate(url);
    await migrateFurther(url);
    await expect(serve(env)).rejects.toThrow(sentence);
    await rowsOf(url, `DELETE FROM migrations WHERE name = '${names.at(-1)}'`);
    await expect(serve(env)).rejects.toThrow(sentence);
    expect(await namesOf(url)).toEqual([...names.slice(0, -1), '0999-later']);
    await rowsOf(url, "DELETE FROM migrations WHERE name = '0999-later'");
    await migrate(url);
    await (await serve(env)).stop();
  });

  it('is not mistaken for one of another program', async () => {
    const { url, refuses } = await databaseFor();
    await migrate(url);
    await migrateFurther(url, '2014_10_12_000000_create_users_table');
    await refuses('migrate', /has a table `migrations` that is not ours/);
    const other = await databaseFor();
    await rowsOf(other.url, 'CREATE TABLE migrations (version VARCHAR(10))').catch(() => {});
    await other.refuses('migrate', /has a table `migrations` that is not ours/);
  });
});
