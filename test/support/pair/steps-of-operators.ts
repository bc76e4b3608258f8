import * as fc from 'fast-check';
import { Problem } from '#src/platform/http/problem';
import type { Person, Side } from '#test/support/pair/side';
import {
  chosen,
  nameOf,
  naming,
  steps,
  stepsOf,
  type Naming,
  type Step,
} from '#test/support/pair/step';

/** What a call of the server-side API comes to: a value, or the refusal. */
async function outcome(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return (await call()) ?? 'done';
  } catch (error) {
    if (error instanceof Problem) return { refused: error.code, ...error.members };
    throw error;
  }
}

type Api = Side['auth'];
const CALLS: Record<string, (auth: Api, user: string) => Promise<unknown>> = {
  disable: ({ users }, user) => users.disable(user),
  enable: ({ users }, user) => users.enable(user),
  'enable again': ({ users }, user) => users.enable(user),
  delete: ({ users }, user) => users.delete(user),
  'verify the address of': ({ users }, user) => users.verifyEmail(user),
  'forget failures of': ({ users }, user) => users.forgetFailures(user),
  'end sessions of': ({ sessions }, user) => sessions.endAll(user),
  'count sessions of': async ({ sessions }, user) => (await sessions.list(user)).length,
  'count keys of': async ({ apiKeys }, user) => (await apiKeys.list(user)).length,
  'count identities of': async ({ identities }, user) => (await identities.list(user)).length,
};

/** An operator names a user by a name, in any spelling, or by the id. */
const named = (person: Person, how: Naming & { byId: boolean }) =>
  how.byId ? person.id : nameOf(person, how);
const anyNaming = { ...naming, byId: fc.boolean() };
type AnyNaming = Naming & { byId: boolean };

export const operate = stepsOf<AnyNaming & { what: string }>(
  'operator:',
  { ...anyNaming, what: fc.constantFrom(...Object.keys(CALLS)) },
  (side, person, { what, ...how }) => outcome(() => CALLS[what]!(side.auth, named(person, how))),
);

export const setPassword = stepsOf<AnyNaming & { password: string }>(
  'operator: set the password of',
  { ...anyNaming, password: chosen },
  async (side, person, { password, ...how }) => {
    const result = await outcome(() => side.auth.users.setPassword(named(person, how), password));
    if (result === 'done') person.password = password;
    return result;
  },
);

export const role = stepsOf<AnyNaming & { role: string; revoke: boolean }>(
  'operator: role',
  {
    ...anyNaming,
    role: fc.constantFrom(
      'admin',
      'admin',
      'moderator',
      'user',
      'ADMIN',
      'admin ',
      'ádmin',
      'none',
    ),
    revoke: fc.boolean(),
  },
  (side, person, { role, revoke, ...how }) =>
    outcome(() => side.auth.roles[revoke ? 'revoke' : 'grant'](named(person, how), role)),
);

/** The first of those who registered gets this role. */
export const granting = (role: string): Step => ({
  toString: () => `operator: grant ${role}`,
  run: ({ auth, people }) => outcome(() => auth.roles.grant(people[0]!.username!, role)),
});

export const createRole = steps<{ role: string }>(
  'operator: create the role',
  { role: fc.constantFrom('editor', 'Editor', 'editor ', 'éditor', 'editör', '', 'x'.repeat(64)) },
  (side, { role }) =>
    outcome(async () => [await side.auth.roles.create(role), await side.auth.roles.list()]),
);

export const find = stepsOf<AnyNaming>('operator: find', anyNaming, (side, person, how) =>
  outcome(async () => {
    const user = await side.auth.users.find(named(person, how));
    return user && [user.id, user.username, user.email, user.name, user.emailVerifiedAt];
  }),
);
