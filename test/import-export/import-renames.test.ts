import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { emptyDatabase, engine } from '#test/support/database';
import { rowsOf } from '#test/support/process';
import { importerInto } from '#test/support/tutorials/importing';
import { hashed, oldDatabase } from '#test/support/tutorials/old-database';

const password = hashed('correct horse battery');
const row = (id: number, username: string | null, email: string | null = `u${id}@example.com`) => ({
  id,
  username,
  email,
  password,
});
const fileName = () => `${process.cwd()}/${randomBytes(6).toString('hex')}.tsv`;
const namesIn = async (url: string) =>
  (await rowsOf(url, 'SELECT username, email FROM users ORDER BY id')).map(
    ({ username, email }) => [username, email],
  );

// The old database is on a server.
describe.skipIf(engine === 'sqlite')('import tutorial', () => {
  it('takes a username that is the address of its own row for the address', async () => {
    const databaseUrl = await emptyDatabase();
    const { bring } = importerInto(databaseUrl);
    const from = await oldDatabase('bezkoder', [
      row(1, 'Ada@Example.com', 'ada@example.com'),
      row(2, 'grace@example.com', null),
      row(3, 'alan@example.com', 'other@example.com'),
    ]);
    const { lines } = await bring(from, 'bezkoder');
    expect(lines.map((line) => line.split('\t')[1])).toEqual([
      'imported',
      'imported',
      'refused',
      undefined,
    ]);
    expect(await namesIn(databaseUrl)).toEqual([
      [null, 'ada@example.com'],
      [null, 'grace@example.com'],
    ]);
    expect((await bring(from, 'bezkoder')).lines.at(-1)).toBe(
      '0 imported, 2 already here, 1 refused.',
    );
    const names = await oldDatabase('devckano', [
      { id: 1, name: 'hedy@example.com', password: 'x' },
    ]);
    expect((await bring(names, 'devckano')).lines[0]).toBe('1 hedy@example.com\timported\tuser');
  });

  it('writes the users whose name is refused into a file, and reads their new names from it', async () => {
    const databaseUrl = await emptyDatabase();
    const { bring } = importerInto(databaseUrl);
    const from = await oldDatabase('bezkoder', [
      row(1, 'ada'),
      row(2, 'al!ce\tx'),
      row(3, 'ADA'),
      row(4, 'dup', 'u1@example.com'),
      { ...row(5, 'nohash'), password: 'plain' },
      row(6, null, null),
    ]);
    const file = fileName();
    const first = await bring(from, 'bezkoder', '--dry-run', '--renames', file);
    expect([first.code, first.lines.slice(-2)]).toEqual([
      1,
      [
        '1 imported, 0 already here, 5 refused. Nothing was changed.',
        `New names for users can be written into ${file}.`,
      ],
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const written = readFileSync(file, 'utf8');
    const rows = written.split('\n').filter((line) => line && !line.startsWith('#'));
    expect(rows.map((line) => line.split('\t').slice(0, 2))).toEqual([
      ['2', 'al!ce?x'],
      ['3', 'ADA'],
      ['4', 'dup'],
      ['6', ''],
    ]);
    for (const line of rows) expect(line.split('\t')).toHaveLength(4);

    const chosen: Record<string, string> = { 2: 'alice', 3: 'ada-3', 4: 'dup@example.com' };
    const filled = written.replaceAll(
      /^(\d+)\t(.*)\t$/gm,
      (_line, id: string, rest: string) => `${id}\t${rest}\t${chosen[id] ?? ''}`,
    );
    writeFileSync(file, filled);
    const { lines } = await bring(from, 'bezkoder', '--renames', file);
    expect(lines).toContain('4 imported, 0 already here, 2 refused.');
    expect(await namesIn(databaseUrl)).toEqual([
      ['ada', 'u1@example.com'],
      ['alice', 'u2@example.com'],
      ['ada-3', 'u3@example.com'],
      ['dup', 'dup@example.com'],
    ]);
    expect(readFileSync(file, 'utf8')).toBe(filled);
    const again = await bring(from, 'bezkoder', '--renames', file);
    expect(again.lines).toContain('0 imported, 4 already here, 2 refused.');
  });

  it('refuses a file that is none, and imports nobody', async () => {
    const databaseUrl = await emptyDatabase();
    const { bring } = importerInto(databaseUrl);
    const from = await oldDatabase('bezkoder', [row(1, 'ada')]);
    const file = fileName();
    writeFileSync(file, '# a\n1 ada\n');
    const { code, stderr } = await bring(from, 'bezkoder', '--renames', file);
    expect([code, stderr]).toEqual([
      1,
      `Line 2 of ${file} has no id, name and reason between tabs.\n`,
    ]);
    expect(await namesIn(databaseUrl)).toEqual([]);
  });
});
