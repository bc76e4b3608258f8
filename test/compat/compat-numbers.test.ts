import { describe, expect, it } from 'vitest';
import { enter, frontEnds, startEach, type Answer } from '#test/support/compat';
import { idIn, originalNames } from '#test/support/tutorials/old-database';
import { shownId } from '#src/compat/shown-ids';
import { userRow } from '#src/users/user-row';
import { password } from '#test/support/app';

const apps = await startEach({ DIALECT_NUMERIC_IDS: 'on' });
const idOf = ({ body }: Answer) => (body.user ?? body).id as unknown;

describe.each(frontEnds.map((frontEnd) => ({ ...frontEnd, frontEnd })))(
  'numeric ids in $name',
  ({ name, frontEnd, newcomer, signUp }) => {
    const app = apps[name]!;
    const { say, ctx, User, UserNumber } = app;
    const tutorial = originalNames.find((each) => each === name)!;
    const shown = async (who: string) => {
      const { signedIn, headers } = await enter(app, frontEnd, who);
      if (name === 'zohaib') return idOf(await say('GET', '/users/me', { headers }));
      if (name !== 'devckano') return idOf(signedIn);
      const user = await User.findOne({ where: { username: who }, rejectOnEmpty: true });
      await app.grant({ username: who }, 'admin');
      const { body } = await say('GET', '/users', { headers });
      return (body as { id: unknown; name: string }[]).find((each) => each.name === user.username)!
        .id;
    };

    it('shows an imported user by the number of the old table', async () => {
      const who = app.unusedName();
      const number = 4711 + frontEnds.indexOf(frontEnd);
      const as = (text: string) => ({ display: text, canonical: text });
      const names = {
        ...(frontEnd.field !== 'email' && { username: as(who) }),
        ...(name !== 'devckano' && { email: as(`${who}@example.com`) }),
      };
      const passwordHash = await ctx.passwords.hash(password);
      await User.create(userRow({ id: idIn(tutorial, number), ...names, passwordHash }));
      const role = await app.Role.findOne({ where: { name: 'user' }, rejectOnEmpty: true });
      await ctx.db.UserRole.create({ userId: idIn(tutorial, number), roleId: role.id });
      expect(await shown(who)).toBe(number);
      expect(await UserNumber.count({ where: { userId: idIn(tutorial, number) } })).toBe(0);
    });

    it('gives others a number of 31 bits, one each, and lets them keep it', async () => {
      const people = Array.from({ length: 4 }, () => app.unusedName());
      const numbers = new Set<unknown>();
      for (const who of people) {
        expect((await say('POST', signUp, { json: newcomer(who) })).status).toBe(frontEnd.welcome);
        const [first, ...again] = await Promise.all([shown(who), shown(who), shown(who)]);
        expect(Number.isInteger(first)).toBe(true);
        expect(Number(first)).toBeGreaterThan(1_000_000_000);
        expect(Number(first)).toBeLessThan(2 ** 31);
        expect(again).toEqual([first, first]);
        numbers.add(first);
      }
      expect(numbers.size).toBe(people.length);
    });
  },
);

it('gives one number to a user whom many requests ask for at once', async () => {
  const { ctx, register, UserNumber } = apps['bezkoder']!;
  const { id } = await register();
  const shown = await Promise.all(Array.from({ length: 20 }, () => shownId(ctx, id)));
  expect(new Set(shown).size).toBe(1);
  expect(await UserNumber.count({ where: { userId: id } })).toBe(1);
});

it('shows text everywhere else', async () => {
  const { body } = await apps['bezkoder']!.register().then(({ ask }) => ask('GET', '/me'));
  expect(body.id).toMatch(/^[\da-f-]{36}$/);
});
