import { describe, expect, it } from 'vitest';
import { importTutorial } from '#src/import-export/import-tutorial';
import { password } from '#test/support/app';
import { engine } from '#test/support/database';
import { enter, startAdapters, frontEnds, type AdapterApp } from '#test/support/compat';
import { rowsOf, runProcess } from '#test/support/process';
import { long } from '#test/support/rounds';
import { destinations } from '#test/support/tutorials/importing';
import {
  hashed,
  idIn,
  oldDatabase,
  originalNames,
  type Original,
} from '#test/support/tutorials/old-database';

const GROUPS: Original[][] = [
  ['bezkoder', 'zohaib', 'devckano'],
  ['grokonez'],
  ['grokonez-react'],
  ['bezkoder-cookies'],
];
const COST = '5';

async function start(tutorials: Original[], where: string) {
  const DATABASE_URL = await destinations[where]!();
  const env = { DATABASE_URL, BCRYPT_COST: COST };
  const app = await startAdapters(tutorials.join(), env);
  const bring = async (from: string, tutorial: Original) => {
    const told: string[] = [];
    const { source } = app.adapters.find(({ name }) => name === tutorial)!;
    await importTutorial(app.ctx, from, source, ({ who, outcome, detail }) =>
      told.push(`${who}, ${outcome}, ${detail}`),
    );
    return told;
  };
  return { app, bring, where, tutorials, secret: app.env.APP_SECRET };
}
const wheres = engine === 'sqlite' ? [] : Object.keys(destinations);
const running: Awaited<ReturnType<typeof start>>[] = [];
for (const where of wheres)
  for (const group of long || where === 'a server' ? GROUPS : GROUPS.slice(0, 1))
    running.push(await start(group, where));

const frontEndOf = (name: string) => frontEnds.find((frontEnd) => frontEnd.name === name)!;
const [KINDS, WEAK] = [['2a', '2b', '2y'] as const, 'abc'];
/** A name that is unique among the tutorials of a destination. */
const spelt = (tutorial: Original, kind: string) => `${tutorial}-${kind}`;

/** A user for each kind of hash, one with a password that is too weak today, and one with a costly hash. */
function cast(tutorial: Original) {
  const fields = (name: string) =>
    Object.fromEntries(
      Object.entries(frontEndOf(tutorial).newcomer(name)).filter(([field]) => field !== 'password'),
    );
  const stored = (secret: string, kind: (typeof KINDS)[number], cost: number) =>
    tutorial === 'devckano' ? secret : hashed(secret, kind, cost);
  return [
    ...KINDS.map((kind, i) => ({
      ...fields(spelt(tutorial, kind)),
      id: i + 1,
      password: stored(password, kind, kind === '2a' ? 8 : 4),
    })),
    { ...fields(spelt(tutorial, 'weak')), id: 4, password: stored(WEAK, '2b', 4) },
    { ...fields(spelt(tutorial, 'dear')), id: 5, password: stored(password, '2b', 9) },
  ];
}
const hashOf = async ({ databaseUrl }: AdapterApp, id: string) =>
  (await rowsOf(databaseUrl, `SELECT password_hash AS hash FROM users WHERE id = '${id}'`))[0]![
    'hash'
  ];

describe.skipIf(engine === 'sqlite').each(running)(
  'into $where, with $tutorials',
  ({ app, bring, tutorials }) => {
    it.for(tutorials)(
      'everybody of %s signs in with the password they had, in either language',
      async (tutorial) => {
        const frontEnd = frontEndOf(tutorial);
        const rows = cast(tutorial);
        expect(await bring(await oldDatabase(tutorial, rows), tutorial)).toHaveLength(rows.length);

        for (const [i, kind] of KINDS.entries()) {
          const [id, name] = [idIn(tutorial, i + 1), frontEnd.who(spelt(tutorial, kind))];
          const before = await hashOf(app, id);
          expect(before).toMatch(
            tutorial === 'devckano' ? /^\$2b\$05\$/ : new RegExp(`^\\$${kind}\\$0[48]\\$`),
          );
          expect((await app.logIn(name, `${password}r`)).status).toBe(401);
          expect(await hashOf(app, id)).toBe(before);
          const { token, headers } = await enter(app, frontEnd, spelt(tutorial, kind));
          expect(await hashOf(app, id)).toMatch(/^\$2b\$05\$/);
          const { status, body } = await app.logIn(name);
          expect([status, body.user.id, body.user.roles]).toEqual([200, id, ['user']]);
          expect((await app.ask('GET', '/me', { token })).body.id).toBe(id);
          expect((await app.say('GET', frontEnd.guarded, { headers })).status).toBe(200);
        }
        expect((await app.logIn(frontEnd.who(spelt(tutorial, 'weak')), WEAK)).status).toBe(200);
        await enter(app, frontEnd, spelt(tutorial, 'dear'));
        expect(await hashOf(app, idIn(tutorial, 5))).toMatch(
          tutorial === 'devckano' ? /^\$2b\$05\$/ : /^\$2b\$09\$/,
        );
      },
    );
  },
);

describe
  .skipIf(engine === 'sqlite')
  .each(running.filter(({ tutorials }) => tutorials.includes('zohaib')))(
  'into $where, while the server runs',
  ({ app, secret }) => {
    it('a command of its own brings somebody over, who is in at once, and may do what their roles allow', async () => {
      const from = await oldDatabase(
        'bezkoder',
        [
          {
            id: 71,
            username: 'late',
            email: 'late@example.com',
            password: hashed(password, '2a', 8),
          },
        ],
        { admin: [71] },
      );
      expect((await app.logIn('late')).status).toBe(401);
      const env = { DATABASE_URL: app.databaseUrl, APP_SECRET: secret, LOG_LEVEL: 'silent' };
      const args = ['import', 'tutorial', '--from', from, '--dialect', 'bezkoder'];
      const { code, stdout, stderr } = await runProcess('cli', env, { args });
      expect([code, stderr]).toEqual([0, '']);
      expect(stdout).toMatch(
        /^71 late\timported\tadmin\n1 imported, 0 already here, 0 refused\.\nAdministrators now: 71 late\. .*\n$/,
      );
      const { headers } = await enter(app, frontEndOf('bezkoder'), 'late');
      expect((await app.say('GET', '/api/test/admin', { headers })).text).toBe('Admin Content.');
    });
  },
);

it('is asked of every adapter there is', () => {
  expect(GROUPS.flat().sort()).toEqual([...originalNames].sort());
});
