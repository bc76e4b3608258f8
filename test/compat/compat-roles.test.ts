import { describe, expect, it } from 'vitest';
import {
  enter,
  expectSaid,
  member,
  startAdapters,
  frontEnds,
  type AdapterApp,
} from '#test/support/compat';

const boards = frontEnds.filter(({ takesRoles }) => takesRoles);
const start = async (env: Record<string, string> = {}) => {
  const apps: Record<string, AdapterApp> = {};
  for (const { name } of boards) apps[name] = await startAdapters(name, env);
  return apps;
};
const strict = await start();
const generous = await start({ SIGNUP_ROLES: 'user,moderator' });
const others = await startAdapters('zohaib,devckano', { SIGNUP_ROLES: 'user,moderator' });

describe.each(boards.map((frontEnd) => ({ ...frontEnd, frontEnd })))(
  '$name',
  ({ name, frontEnd, newcomer, signUp, complaint }) => {
    const { say, unusedName, grant, User, Role } = strict[name]!;
    const upper = (role: string) => (name.startsWith('grokonez') ? role.toUpperCase() : role);
    const wanting = (roles: unknown, who = unusedName()) => ({ ...newcomer(who), roles });
    const noSuch = (role: string) =>
      name.startsWith('grokonez')
        ? `Fail -> Does NOT exist Role = ${role}`
        : { message: `Failed! Role does not exist = ${role}` };
    const rolesOf = async (app: AdapterApp, username: string) =>
      (await app.User.findOne({ where: { username }, include: ['roles'], rejectOnEmpty: true }))
        .roleNames;

    it.each([
      [['admin']],
      ['admin'],
      [['user', 'admin']],
      [['admin', 'user']],
      [['moderator']],
      [['user', 'user', 'admin']],
    ])('gives a stranger who asks for %j nothing, and makes nobody', async (roles) => {
      const before = await User.count();
      const who = unusedName();
      await expectSaid(
        say('POST', signUp, { json: wanting(roles, who) }),
        403,
        complaint('You are not allowed to do this.'),
      );
      if (typeof roles === 'string')
        await expectSaid(
          say('POST', signUp, { form: wanting(roles, who) as never }),
          403,
          complaint('You are not allowed to do this.'),
        );
      expect(await User.count()).toBe(before);
      expect((await say('POST', signUp, { json: newcomer(who) })).status).toBe(frontEnd.welcome);
    });

    it('gives the role that everybody has to those who ask for it, or for none', async () => {
      for (const roles of [[], undefined, ['user'], 'user', ['user', 'user']]) {
        const who = unusedName();
        expect((await say('POST', signUp, { json: wanting(roles, who) })).status).toBe(
          frontEnd.welcome,
        );
        expect(await rolesOf(strict[name]!, who)).toEqual(['user']);
        const { headers } = await enter(strict[name]!, frontEnd, who);
        expect((await say('GET', '/api/test/admin', { headers })).status).toBe(403);
      }
    });

    it.each([
      ['nothing', null],
      ['an empty text', ''],
    ])('takes roles that are %s for none asked', async (_what, roles) => {
      const before = await User.count();
      const { status } = await say('POST', signUp, { json: wanting(roles) });
      expect([status < 300, await User.count()]).toEqual([true, before + 1]);
      const newest = await User.findOne({ order: [['id', 'DESC']], include: ['roles'] });
      expect(newest!.roleNames).toEqual(['user']);
    });

    it.each([
      ['a number', 1],
      ['an object', { name: 'admin' }],
      ['true', true],
      ['a list of objects', [{ name: 'admin' }]],
      ['a list of lists', [['admin']]],
      ['a list of numbers', [1]],
      ['a list with nothing', [null]],
      ['too many', Array(21).fill('user')],
      ['one too long', ['x'.repeat(65)]],
    ])('answers 400 to roles that are %s, and makes nobody', async (_what, roles) => {
      const before = await User.count();
      const { status } = await say('POST', signUp, { json: wanting(roles) });
      expect([status, await User.count()]).toEqual([400, before]);
    });

    it.each([
      ['<img src=x onerror=alert(1)>', '?img src?x onerror?alert?1??'],
      ['<script>alert`1`</script>', '?script?alert?1???script?'],
      ['"&\'/\\', '?????'],
      ['administrat\u00f6r', 'administrat?r'],
      ['\u{1f511}', '??'],
      ['\ud800', '?'],
      ['a\u0000b', 'a?b'],
      ["user' OR '1'='1", 'user? OR ?1???1'],
      ['user ', 'user '],
      [' user', ' user'],
      ['', ''],
      ['%', '?'],
      ['us_r', 'us_r'],
      ['ROLE_USER', 'ROLE_USER'],
      ['constructor', 'constructor'],
    ])('says that %j is no role, and never as HTML', async (role, said) => {
      const before = await User.count();
      const { text } = await expectSaid(
        say('POST', signUp, { json: wanting([role]) }),
        400,
        noSuch(said),
      );
      expect(text).not.toMatch(
        /[<>&]/.test(role) && name.startsWith('grokonez') ? /[<&']/ : /[<&]/,
      );
      expect(await User.count()).toBe(before);
    });

    it('names the first role that is not there, and no role that is', async () => {
      await expectSaid(
        say('POST', signUp, { json: wanting(['admin', 'root', 'toor']) }),
        400,
        noSuch('root'),
      );
      await expectSaid(
        say('POST', signUp, { form: { ...newcomer(unusedName()), roles: 'root' } }),
        400,
        noSuch('root'),
      );
    });

    it('knows the roles of bezkoder by one spelling, of grokonez by any', async () => {
      for (const role of ['USER', 'User'])
        if (name.startsWith('grokonez'))
          expect((await say('POST', signUp, { json: wanting([role]) })).status).toBe(200);
        else await expectSaid(say('POST', signUp, { json: wanting([role]) }), 400, noSuch(role));
      for (const role of ['ADMIN', 'Admin'])
        if (name.startsWith('grokonez'))
          expect((await say('POST', signUp, { json: wanting([role]) })).status).toBe(403);
        else await expectSaid(say('POST', signUp, { json: wanting([role]) }), 400, noSuch(role));
    });

    it('takes a role away at once', async () => {
      const { headers, where } = await member(strict[name]!, frontEnd, unusedName());
      await grant(where, 'admin');
      expect((await say('GET', '/api/test/admin', { headers })).status).toBe(200);
      const { UserRole } = strict[name]!;
      const role = (await Role.findOne({ where: { name: 'admin' } }))!;
      await UserRole.destroy({ where: { roleId: role.id } });
      expect((await say('GET', '/api/test/admin', { headers })).status).toBe(403);
    });

    it('gives the roles that SIGNUP_ROLES lists, and those alone', async () => {
      const app = generous[name]!;
      const before = await app.User.count();
      const one = { ...newcomer('one'), roles: [upper('moderator')] };
      const both = {
        ...newcomer('both'),
        roles: [upper('moderator'), upper('user'), upper('moderator')],
      };
      for (const json of [one, both])
        expect((await app.say('POST', signUp, { json })).status).toBe(frontEnd.welcome);
      expect([await rolesOf(app, 'one'), await rolesOf(app, 'both')]).toEqual([
        ['moderator'],
        ['moderator', 'user'],
      ]);
      for (const roles of [['admin'], ['moderator', 'admin'], 'admin'].map((asked) =>
        [asked].flat().map(upper),
      ))
        await expectSaid(
          app.say('POST', signUp, { json: wanting(roles) }),
          403,
          complaint('You are not allowed to do this.'),
        );
      expect((await app.say('POST', signUp, { json: wanting([]) })).status).toBe(frontEnd.welcome);
      expect(await app.User.count()).toBe(before + 3);
    });
  },
);

describe.each(
  frontEnds.filter(({ takesRoles }) => !takesRoles).map((frontEnd) => ({ ...frontEnd, frontEnd })),
)('$name', ({ newcomer, signUp, welcome }) => {
  it.each([[['admin']], ['admin'], [[]], [['moderator']], [{ a: 1 }]])(
    'has no roles to ask for: %j changes nothing',
    async (roles) => {
      const fields = newcomer(others.unusedName());
      expect(
        (await others.say('POST', signUp, { json: { ...fields, roles, role: roles } })).status,
      ).toBe(welcome);
      const where = 'email' in fields ? { email: fields['email'] } : { username: fields['name']! };
      expect((await others.User.findOne({ where, include: ['roles'] }))!.roleNames).toEqual([
        'user',
      ]);
    },
  );
});
