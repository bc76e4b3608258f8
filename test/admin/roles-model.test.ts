import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { covers, grants, permissionsIn } from '#src/users/permissions';
import { startApp } from '#test/support/app';
import { runs } from '#test/support/properties';

const { auth, register, Role, User } = await startApp();
await register({ username: 'chief' }, 'admin');

/** How many calls are played in one history. */
const CALLS = 15;
const PEOPLE = 4;
const OWN_ROLES = ['one', 'two', 'three', 'four'];
const POOL = 'a:x a:y a:* b:x b:* roles:read roles:write roles:assign roles:* *'.split(' ');

const permissions = fc.oneof(
  { weight: 4, arbitrary: fc.subarray(POOL.slice(0, 8), { maxLength: 4 }) },
  { weight: 1, arbitrary: fc.subarray(POOL, { maxLength: 4 }) },
);
const person = fc.nat(PEOPLE - 1);
const role = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...OWN_ROLES) },
  { weight: 1, arbitrary: fc.constantFrom('user', 'moderator', 'admin') },
);
const call = fc.oneof(
  { weight: 3, arbitrary: fc.record({ by: person, verb: fc.constant('set'), role, permissions }) },
  { weight: 1, arbitrary: fc.record({ by: person, verb: fc.constant('delete'), role }) },
  { weight: 4, arbitrary: fc.record({ by: person, verb: fc.constant('grant'), role, to: person }) },
  {
    weight: 2,
    arbitrary: fc.record({ by: person, verb: fc.constant('revoke'), role, to: person }),
  },
);
/** What an operator has set up before: what the roles allow, and who has which. */
const start = fc.record({
  roles: fc.tuple(...OWN_ROLES.map(() => permissions)),
  had: fc.array(fc.subarray(OWN_ROLES, { maxLength: 2 }), {
    minLength: PEOPLE,
    maxLength: PEOPLE,
  }),
  /** One of them may do much, or most histories would be full of refusals. */
  strong: fc.subarray(['a:*', 'b:x', 'b:*', 'roles:*'], { minLength: 2 }),
});

const people = await Promise.all(Array.from({ length: PEOPLE }, () => register()));
type Call = typeof call extends fc.Arbitrary<infer C> ? C : never;

async function setUp({
  roles,
  had,
  strong,
}: typeof start extends fc.Arbitrary<infer S> ? S : never) {
  for (const name of ['user', 'moderator']) await auth.roles.set(name, { permissions: [] });
  for (const [i, name] of OWN_ROLES.entries())
    await auth.roles.set(name, { permissions: roles[i]! });
  await auth.roles.set('strong', { permissions: strong });
  for (const [i, { id }] of people.entries()) {
    const wanted = ['user', ...had[i]!, ...(i === 0 ? ['strong'] : [])];
    for (const name of [...OWN_ROLES, 'user', 'moderator', 'admin', 'strong'])
      await (wanted.includes(name) ? auth.roles.grant : auth.roles.revoke)(id, name);
  }
}

/** What everybody may do now, and all that these calls can change, as it stands in the database. */
async function look() {
  const users = await User.findAll({ include: ['roles'], order: ['id'] });
  const roles = await Role.findAll({ order: ['name'] });
  return {
    held: new Map(
      users.map(({ id, roles }) => [id, roles!.flatMap((each) => permissionsIn(each.permissions))]),
    ),
    names: new Map(users.map(({ id, roleNames }) => [id, roleNames])),
    all: JSON.stringify([
      roles.map(({ name, permissions }) => [name, permissions]),
      users.map(({ id, roleNames }) => [id, roleNames.toSorted()]),
    ]),
  };
}
type Seen = Awaited<ReturnType<typeof look>>;

function play(made: Call) {
  const { ask } = people[made.by]!;
  const path = `/admin/roles/${made.role}`;
  if ('permissions' in made) return ask('PUT', path, { body: { permissions: made.permissions } });
  if (!('to' in made)) return ask('DELETE', path);
  const link = `/admin/users/${people[made.to]!.id}/roles/${made.role}`;
  return ask(made.verb === 'grant' ? 'PUT' : 'DELETE', link);
}

function expectNoGain(made: Call, before: Seen, after: Seen): void {
  const actor = people[made.by]!.id;
  const own = before.held.get(actor)!;
  for (const [id, held] of after.held) {
    const gained = held.filter((each) => !grants(before.held.get(id)!, each));
    expect(covers(own, gained), `${id} gained ${gained.join()} from ${own.join()}`).toBe(true);
    if (id === actor) expect(gained).toEqual([]);
  }
  // Nobody takes what they do not have, either.
  for (const [id, held] of before.held) {
    const lost = held.filter((each) => !grants(after.held.get(id)!, each));
    expect(covers(own, lost), `${id} lost ${lost.join()} to ${own.join()}`).toBe(true);
  }
  // Apps ask for names of roles, too: only who has everything gives one to themselves.
  const more = after.names.get(actor)!.filter((name) => !before.names.get(actor)!.includes(name));
  if (!grants(own, '*')) expect(more).toEqual([]);
}

it('nobody ever has a permission that nobody with more gave, whatever is called by whom', async () => {
  const census = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(
      start,
      fc.array(call, { minLength: CALLS, maxLength: CALLS }),
      async (begin, calls) => {
        await setUp(begin);
        let before = await look();
        for (const made of calls) {
          const { status, text } = await play(made);
          const after = await look();
          if (status >= 300) {
            expect([403, 404, 409], text).toContain(status);
            expect(after.all).toBe(before.all);
          } else expectNoGain(made, before, after);
          const did = status < 300 && after.all !== before.all ? 'done' : `${status}`;
          census.set(`${made.verb} ${did}`, (census.get(`${made.verb} ${did}`) ?? 0) + 1);
          before = after;
        }
      },
    ),
    runs(CALLS),
  );
  // Each kind of call was let through, and refused: else the histories say nothing.
  for (const verb of ['set', 'delete', 'grant', 'revoke'])
    for (const outcome of ['done', '403'])
      expect(census.get(`${verb} ${outcome}`) ?? 0, `${verb} ${outcome}`).toBeGreaterThan(0);
}, 1_800_000);
