import { describe, expect, it } from 'vitest';
import { adaptersOf } from '#src/compat/index';
import { importTutorial, type ImportedUser } from '#src/import-export/import-tutorial';
import { testEnv } from '#test/support/app';
import { engine } from '#test/support/database';
import { node } from '#test/support/node';
import { rowsOf } from '#test/support/process';
import { long, rounds } from '#test/support/rounds';
import { contentsOf, destinations, importerInto } from '#test/support/tutorials/importing';
import {
  hashed,
  idIn,
  insert,
  oldDatabase,
  originalNames,
  type Original,
} from '#test/support/tutorials/old-database';

const hash = hashed('correct horse battery');
const anybody = (id: number) => ({
  id,
  username: `u${id}`,
  email: `u${id}@example.com`,
  password: hash,
});

/** Rows of a tutorial with everything that may be wrong, and the line that is printed for each. */
const CAST: [row: Record<string, unknown>, line: string][] = [
  [{ ...anybody(-5) }, '-5 u-5\trefused\tits id is neither a number of up to 12 digits nor a UUID'],
  [{ ...anybody(1), username: 'Ada', email: 'Ada@Example.com' }, '1 Ada\timported\tadmin,user'],
  [{ ...anybody(2), password: hashed('correct horse battery', '2y') }, '2 u2\timported\tuser'],
  [{ ...anybody(3) }, '3 u3\timported\tuser'],
  [{ ...anybody(4), username: ' ada' }, '4  ada\trefused\tsomebody here has this name or address'],
  [
    { ...anybody(5), email: 'ADA@example.com' },
    '5 u5\trefused\tsomebody here has this name or address',
  ],
  [
    { ...anybody(6), username: 'GRACE' },
    '6 GRACE\trefused\tsomebody here has this name or address',
  ],
  [
    { ...anybody(7), username: 'al!ce' },
    '7 al!ce\trefused\tA username is made of letters, digits and . _ - and begins with a letter or digit',
  ],
  [
    { ...anybody(8), username: 'a\n9 root\timported\tadmin\u001b[2K' },
    '8 a?9 root?imported?admin?[2K\trefused\tA username is made of letters, digits and . _ - and begins with a letter or digit',
  ],
  [{ ...anybody(9), email: 'nowhere' }, '9 u9\trefused\tThis is not an e-mail address'],
  [{ ...anybody(10), password: null }, '10 u10\trefused\tit has no password'],
  [{ ...anybody(11), password: '' }, '11 u11\trefused\tit has no password'],
  [
    { ...anybody(12), password: 'in the clear' },
    '12 u12\trefused\tits password is not a bcrypt hash with a cost of 4 to 15',
  ],
  [
    { ...anybody(13), password: hash.replace('$04$', '$31$') },
    '13 u13\trefused\tits password is not a bcrypt hash with a cost of 4 to 15',
  ],
  [{ ...anybody(14) }, '14 u14\trefused\tits role "super user" is no name for a role here'],
  [{ ...anybody(15) }, '15 u15\trefused\tits role "" is no name for a role here'],
  [
    { ...anybody(16), username: null, email: null },
    '16\trefused\tit has neither a username nor an e-mail address',
  ],
  [
    { ...anybody(17), username: '', email: '' },
    '17\trefused\tit has neither a username nor an e-mail address',
  ],
  [{ ...anybody(18), username: null }, '18 u18@example.com\timported\tuser'],
  [{ ...anybody(19), email: null }, '19 u19\timported\tpress'],
  [{ ...anybody(20) }, '20 u20\trefused\tanother user here has this id'],
  [{ ...anybody(21), createdAt: '0000-00-00 00:00:00' }, '21 u21\timported\tuser'],
];
const ROLES = {
  user: [1, 2],
  ADMIN: [1],
  'Super User': [14],
  null: [15],
  Press: [19],
  moderator: [],
};
const ADMINS =
  "Administrators now: 1 Ada. With the tutorial's code anybody could become one: are these the right ones?";
const LINES = CAST.map(([, line]) => line);
const brought = LINES.filter((line) => line.includes('\timported\t'));

/** A new database that has some users. */
async function settled(databaseUrl: string) {
  const importer = importerInto(databaseUrl);
  await importer.run('user create grace', 'correct horse battery');
  await rowsOf(
    databaseUrl,
    `INSERT INTO users (id, username, username_canonical, created_at, updated_at) VALUES ('${idIn('bezkoder', 20)}', 'heir', 'heir', '2020-01-01 00:00:00.000', '2020-01-01 00:00:00.000')`,
  );
  return importer;
}
describe.skipIf(engine === 'sqlite').each(Object.entries(destinations))(
  'import tutorial, into %s',
  (_where, empty) => {
    it('says in order what becomes of each user, the same when it only rehearses, and keeps who is here', async () => {
      const databaseUrl = await empty();
      const from = await oldDatabase(
        'bezkoder',
        CAST.map(([row]) => row),
        ROLES,
      );
      const { bring } = await settled(databaseUrl);
      const [before, old] = [await contentsOf(databaseUrl), await contentsOf(from)];

      const rehearsed = await bring(from, 'bezkoder', '--dry-run');
      expect(rehearsed.lines).toEqual([
        ...LINES,
        '6 imported, 0 already here, 16 refused. Nothing was changed.',
        ADMINS,
      ]);
      expect([rehearsed.code, rehearsed.stderr]).toEqual([1, '']);
      expect(await contentsOf(databaseUrl)).toEqual(before);

      const done = await bring(from, 'bezkoder');
      expect(done.lines).toEqual([...LINES, '6 imported, 0 already here, 16 refused.', ADMINS]);
      expect([done.code, done.stderr]).toEqual([1, '']);
      const after = await contentsOf(databaseUrl);
      expect(after['users']).toHaveLength(8);
      for (const rerun of [['--dry-run'], []]) {
        const again = await bring(from, 'bezkoder', ...rerun);
        expect(again.lines.slice(0, -1)).toEqual(
          LINES.map((line) =>
            brought.includes(line) ? `${line.split('\t')[0]}\talready here` : line,
          ),
        );
        expect(again.lines.at(-1)).toMatch(/^0 imported, 6 already here, 16 refused\./);
      }
      expect(await contentsOf(databaseUrl)).toEqual(after);
      expect(await contentsOf(from)).toEqual(old);
    });

    it('emits an event for each user and each new role, and none when it only rehearses or is run again', async () => {
      const databaseUrl = await empty();
      const rows = CAST.map(([row]) => row);
      const from = await oldDatabase('bezkoder', rows, ROLES);
      await settled(databaseUrl);
      const { ctx } = await node(testEnv(databaseUrl));
      const events: object[] = [];
      ctx.events.onAny((name, event) => events.push({ name, ...event }));
      const [adapter] = adaptersOf(ctx, ['bezkoder']);
      const bring = async (dryRun: boolean) => {
        const lines: string[] = [];
        const report = ({ who, outcome, detail }: ImportedUser) =>
          lines.push([who, outcome, detail].join('\t').trimEnd());
        await importTutorial(ctx, from, adapter!.source, report, dryRun);
        return lines;
      };

      expect(await bring(true)).toEqual(LINES);
      expect(events).toEqual([]);
      expect(await bring(false)).toEqual(LINES);
      const imported = [1, 2, 3, 18, 19, 21].map((id) => ({
        name: 'user.imported',
        userId: idIn('bezkoder', id),
      }));
      expect(events.filter((event) => 'userId' in event)).toEqual(imported);
      expect(events).toContainEqual({ name: 'role.created', role: 'press' });
      expect(events).toHaveLength(imported.length + 1);
      for (const dryRun of [true, false]) await bring(dryRun);
      expect(events).toHaveLength(imported.length + 1);
    });

    it('keeps ids, names, hashes, roles and times', async () => {
      const databaseUrl = await empty();
      const { bring } = importerInto(databaseUrl);
      const hashes = [hashed('x', '2a', 8), hashed('x', '2b', 10), hashed('x', '2y')];
      const names = {
        first_name: 'Grace',
        last_name: 'Hopper',
        firstname: 'Grace',
        lastname: 'Hopper',
        name: 'Grace H',
        username: 'Grace',
        email: 'Grace@Example.com',
      };
      const kept: Record<
        Original,
        [
          columns: (keyof typeof names)[],
          name: string | null,
          username: string | null,
          email: string | null,
        ]
      > = {
        bezkoder: [['username', 'email'], null, 'Grace', 'Grace@Example.com'],
        'bezkoder-cookies': [['username', 'email'], null, 'Grace', 'Grace@Example.com'],
        grokonez: [['name', 'username', 'email'], 'Grace H', 'Grace', 'Grace@Example.com'],
        'grokonez-react': [
          ['firstname', 'lastname', 'username', 'email'],
          'Grace Hopper',
          'Grace',
          'Grace@Example.com',
        ],
        zohaib: [
          ['first_name', 'last_name', 'email'],
          'Grace\u00a0Hopper',
          null,
          'Grace@Example.com',
        ],
        devckano: [['name'], null, 'Grace', null],
      };
      for (const [i, tutorial] of originalNames.entries()) {
        const [columns, name, username, email] = kept[tutorial];
        const own = (text: string) => text.replace('Grace', `Grace${i}`);
        const password = tutorial === 'devckano' ? 'Grace' : hashes[i % 3]!;
        const row = Object.fromEntries(
          columns.map((column) => [column, own(tutorial === 'devckano' ? 'Grace' : names[column])]),
        );
        const roles = tutorial.startsWith('bezkoder')
          ? { moderator: [40 + i] }
          : tutorial.startsWith('grokonez')
            ? { USER: [40 + i], PM: [40 + i] }
            : {};
        const from = await oldDatabase(
          tutorial,
          [{ ...row, id: 40 + i, password, createdAt: '2018-11-12 13:14:15' }],
          roles,
        );
        const { lines, code } = await bring(from, tutorial);
        const granted =
          Object.keys(roles)
            .map((role) => role.toLowerCase())
            .sort()
            .join() || 'user';
        expect([code, lines]).toEqual([
          0,
          [
            `${40 + i} ${own(username ?? email!)}\timported\t${granted}`,
            '1 imported, 0 already here, 0 refused.',
          ],
        ]);

        const id = idIn(tutorial, 40 + i);
        const [user] = await rowsOf(databaseUrl, `SELECT * FROM users WHERE id = '${id}'`);
        expect(user).toMatchObject({
          name: name && own(name),
          username: username && own(username),
          username_canonical: username && own(username).toLowerCase(),
          email: email && own(email),
          email_canonical: email && own(email).toLowerCase(),
          disabled_at: null,
        });
        const time = user!['created_at'];
        expect(time instanceof Date ? time.toISOString() : String(time)).toMatch(
          /^2018-11-12[T ]13:14:15\.000/,
        );
        if (tutorial === 'devckano') expect(user!['password_hash']).toMatch(/^\$2b\$04\$.{53}$/);
        else expect(user!['password_hash']).toBe(password);
      }
    });

    it('knows again who changed a name here, or added one', async () => {
      const databaseUrl = await empty();
      const { bring } = importerInto(databaseUrl);
      const from = await oldDatabase('bezkoder', [
        anybody(1),
        anybody(2),
        { ...anybody(3), email: null },
      ]);
      const mails = await oldDatabase('zohaib', [
        { id: 1, first_name: 'Z', email: 'z@example.com', password: hash },
      ]);
      await bring(from, 'bezkoder');
      await bring(mails, 'zohaib');
      const change = (id: string, names: string) =>
        rowsOf(databaseUrl, `UPDATE users SET ${names} WHERE id = '${id}'`);
      await change(idIn('bezkoder', 1), "username = 'new', username_canonical = 'new'");
      await change(idIn('bezkoder', 2), 'email = NULL, email_canonical = NULL');
      await change(idIn('bezkoder', 3), "username = 'other', username_canonical = 'other'");
      await change(idIn('zohaib', 1), "username = 'zed', username_canonical = 'zed'");
      expect((await bring(from, 'bezkoder')).lines.slice(0, 3)).toEqual([
        '1 u1\talready here',
        '2 u2\talready here',
        '3 u3\trefused\tanother user here has this id',
      ]);
      expect((await bring(mails, 'zohaib')).lines[0]).toBe('1 z@example.com\talready here');
    });

    it('brings over everybody of many, page by page, and those who came later', async () => {
      const databaseUrl = await empty();
      const { bring } = importerInto(databaseUrl);
      const many = rounds(501, 1001);
      const isWhole = (i: number) => long || i % 100 === 0;
      const rows = Array.from({ length: many }, (_, i) => ({
        ...anybody(3 * i + 1),
        ...(!isWhole(i) && { password: null }),
      }));
      const from = await oldDatabase('bezkoder', rows, { user: [1, 3 * many - 2] });
      const { lines } = await bring(from, 'bezkoder');
      const whole = rows.filter((_, i) => isWhole(i)).length;
      expect(lines).toEqual([
        ...rows.map(
          ({ id, password }) =>
            `${id} u${id}\t${password ? 'imported\tuser' : 'refused\tit has no password'}`,
        ),
        `${whole} imported, 0 already here, ${many - whole} refused.`,
      ]);
      expect(await rowsOf(databaseUrl, 'SELECT COUNT(*) AS n FROM user_roles')).toEqual([
        { n: whole },
      ]);

      await insert(from, 'users', [anybody(2), { ...anybody(9000), username: 'U1x' }]);
      const again = await bring(from, 'bezkoder');
      expect([again.lines[1], ...again.lines.slice(-2)]).toEqual([
        '2 u2\timported\tuser',
        '9000 U1x\timported\tuser',
        `2 imported, ${whole} already here, ${many - whole} refused.`,
      ]);
    });
  },
);
