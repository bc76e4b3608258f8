import { describe, expect, it } from 'vitest';
import { adapterNames } from '#src/compat/index';
import { emptyDatabase, engine } from '#test/support/database';
import { freePort } from '#test/support/mysql';
import { contentsOf, importerInto } from '#test/support/tutorials/importing';
import {
  hashed,
  insert,
  oldDatabase,
  originalNames,
  originals,
  query,
} from '#test/support/tutorials/old-database';

const ada = { id: 1, username: 'ada', email: 'ada@example.com', password: hashed('x') };
const withUser = (url: string, user: string) => url.replace(/\/\/[^@/]*@?/, `//${user}@`);

describe.skipIf(engine === 'sqlite')('import tutorial', () => {
  it('needs to be told where from and what, and never repeats a password', async () => {
    const databaseUrl = await emptyDatabase();
    const { run } = importerInto(databaseUrl);
    await run('migrate');
    const before = await contentsOf(databaseUrl);
    const from = '--from mysql://root:canary@127.0.0.1:3306/old';
    const wrongs: [string, RegExp][] = [
      ['--dialect bezkoder', /^error: required option '--from <url>' not specified\n$/],
      [from, /^error: required option '--dialect <name>' not specified\n$/],
      [
        `${from} --dialect nope`,
        /^error: option '--dialect <name>' argument 'nope' is invalid\. Allowed choices are bezkoder, .*\n$/,
      ],
      [`${from} --dialect bezkoder,zohaib`, /Allowed choices/],
      [`${from} --dialect constructor`, /Allowed choices/],
      [`${from} --dialect zohaib now`, /^error: too many arguments/],
      ...[
        'canary',
        'mysql://root:canary@',
        'mysql://root:canary@host',
        'mysql://root:canary@host/',
        'mysql://root:canary@host:x/old',
      ].map((url): [string, RegExp] => [
        `--from ${url} --dialect bezkoder`,
        /^--from is the URL of a database: mysql:\/\/.*\n$/,
      ]),
      ['--from sqlite:canary.sqlite --dialect bezkoder', /^--from is the URL/],
      ['--from postgres://root:canary@host/old --dialect bezkoder', /^--from is the URL/],
    ];
    for (const [options, sentence] of wrongs) {
      const { code, lines, stderr } = await run(`import tutorial ${options}`);
      expect([code, lines], options).toEqual([1, []]);
      expect(stderr).toMatch(sentence);
      expect(stderr).not.toContain('canary');
    }
    expect(await contentsOf(databaseUrl)).toEqual(before);
  });

  it('says what is the matter with the old database, and which one it means', async () => {
    const databaseUrl = await emptyDatabase();
    const { bring } = importerInto(databaseUrl);
    const from = await oldDatabase('bezkoder', [ada]);
    await query(from, "CREATE USER IF NOT EXISTS 'canary'@'%' IDENTIFIED BY 'canary-pass'");
    const wrongs: [string, RegExp][] = [
      [
        from.replace(/\d+(?=\/[^/]*$)/, String(await freePort())),
        /^The old database cannot be read \(ECONNREFUSED\)\. .*\n$/,
      ],
      [`${from}_nope`, /^The old database cannot be read \(ER_BAD_DB_ERROR\)\. .*\n$/],
      [
        withUser(from, 'canary:canary-wrong'),
        /^The old database cannot be read \(ER_ACCESS_DENIED_ERROR\)\. .*\n$/,
      ],
      [
        withUser(from, 'canary:canary-pass'),
        /^The old database cannot be read \(ER_DBACCESS_DENIED_ERROR\)\. .*\n$/,
      ],
    ];
    for (const [url, sentence] of wrongs) {
      const { code, lines, stderr } = await bring(url, 'bezkoder');
      expect([code, lines], url).toEqual([1, []]);
      expect(stderr).toMatch(sentence);
      expect(stderr).not.toMatch(/canary|sequelize|SELECT/);
    }
  });

  it('knows when it is another tutorial, or none', async () => {
    const databaseUrl = await emptyDatabase();
    const { bring } = importerInto(databaseUrl);
    /** Tutorials with the same columns: nobody can tell them apart. */
    const alike = [
      ['bezkoder', 'bezkoder-cookies'],
      ['bezkoder-cookies', 'bezkoder'],
      ['grokonez', 'bezkoder'],
      ['grokonez', 'bezkoder-cookies'],
      ['grokonez', 'devckano'],
      ['grokonez-react', 'bezkoder'],
      ['grokonez-react', 'bezkoder-cookies'],
    ].map(String);
    for (const tutorial of originalNames) {
      const from = await oldDatabase(tutorial);
      for (const adapter of originalNames) {
        const { code, lines, stderr } = await bring(from, adapter);
        const fits = adapter === tutorial || alike.includes(String([tutorial, adapter]));
        expect([code, lines], `${adapter} on ${tutorial}`).toEqual(
          fits ? [0, ['0 imported, 0 already here, 0 refused.']] : [1, []],
        );
        expect(stderr).toMatch(
          fits
            ? /^$/
            : /^The table users has no column \w+\. Is it the right database, and the right dialect\?\n$/i,
        );
      }
    }
    const from = await oldDatabase('bezkoder', [ada]);
    for (const table of ['user_roles', 'refreshTokens', 'users']) {
      await query(from, `DROP TABLE ${table}`);
      const { code, lines, stderr } = await bring(from, 'bezkoder');
      expect([code, lines]).toEqual([1, []]);
      expect(stderr).toBe(
        `The database has no table ${table === 'refreshTokens' ? 'user_roles' : table}. Is it the right one, and the right dialect?\n`,
      );
    }
  });

  it('stops with a sentence where a page cannot be read, and goes on when it is run again', async () => {
    const databaseUrl = await emptyDatabase();
    const { bring } = importerInto(databaseUrl);
    const from = await oldDatabase('devckano', [{ id: 1, name: 'ada', password: 'x' }]);
    await query(from, 'ALTER TABLE users RENAME COLUMN id TO number');
    const failed = await bring(from, 'devckano');
    expect([failed.code, failed.lines]).toEqual([1, []]);
    expect(failed.stderr).toMatch(/^The old database cannot be read \(ER_BAD_FIELD_ERROR\)/);
    await query(from, 'ALTER TABLE users RENAME COLUMN number TO id');
    expect((await bring(from, 'devckano')).lines[0]).toBe('1 ada\timported\tuser');
  });

  it('needs no more than SELECT, and finds the columns of links however they are spelt', async () => {
    const databaseUrl = await emptyDatabase();
    const { bring } = importerInto(databaseUrl);
    const from = await oldDatabase('bezkoder', [ada], { admin: [1] });
    await query(
      from,
      'ALTER TABLE user_roles RENAME COLUMN userId TO user_id, RENAME COLUMN roleId TO role_id',
    );
    const name = from.split('/').at(-1)!;
    const reader = `r_${name}`;
    await query(from, `CREATE USER '${reader}'@'%' IDENTIFIED BY 'p%40ss w/rd'`);
    try {
      await query(from, `GRANT SELECT ON ${name}.* TO '${reader}'@'%'`);
      const old = await contentsOf(from);
      const { code, lines, stderr } = await bring(
        withUser(from, `${reader}:${encodeURIComponent('p%40ss w/rd')}`),
        'bezkoder',
      );
      expect([code, lines[0], stderr]).toEqual([0, '1 ada\timported\tadmin', '']);
      expect(await contentsOf(from)).toEqual(old);
    } finally {
      await query(from, `DROP USER '${reader}'@'%'`);
    }
  });

  it('keeps ids that are UUIDs, and pages by them', async () => {
    const databaseUrl = await emptyDatabase();
    const { bring } = importerInto(databaseUrl);
    const from = await oldDatabase('devckano');
    await query(from, 'ALTER TABLE users MODIFY id CHAR(36) NOT NULL');
    const uuid = (i: number) => `0197A000-0000-4000-8000-${String(i).padStart(12, '0')}`;
    await insert(from, 'users', [
      ...Array.from({ length: 501 }, (_, i) => ({
        id: uuid(i),
        name: `u${i}`,
        password: i % 250 === 0 ? 'secret' : '',
      })),
      { id: '7', name: 'seven', password: 'x' },
      { id: '007', name: 'bond', password: 'x' },
      { id: 'zero', name: 'zero', password: 'x' },
    ]);
    const rehearsed = await bring(from, 'devckano', '--dry-run');
    const { lines } = await bring(from, 'devckano');
    expect(rehearsed.lines.slice(0, -1)).toEqual(lines.slice(0, -1));
    expect(lines.filter((line) => !line.endsWith('it has no password'))).toEqual([
      '007 bond\timported\tuser',
      `${uuid(0)} u0\timported\tuser`,
      `${uuid(250)} u250\timported\tuser`,
      `${uuid(500)} u500\timported\tuser`,
      '7 seven\trefused\tanother user here has this id',
      'zero zero\trefused\tits id is neither a number of up to 12 digits nor a UUID',
      '4 imported, 0 already here, 500 refused.',
    ]);
    expect(
      (await contentsOf(databaseUrl))['users']!.map((row) => (row as { id: string }).id),
    ).toContain(uuid(250).toLowerCase());
  });
});

it('knows the tables of every adapter there is', () => {
  expect([...adapterNames].sort()).toEqual(Object.keys(originals).sort());
});
