import * as fc from 'fast-check';
import { nastyText } from '#test/support/fuzz/values';
import { ask, type Person } from '#test/support/pair/side';
import {
  back,
  chosen,
  fromEnd,
  secretOf,
  spelling,
  spelt,
  stepsOf,
  typed,
} from '#test/support/pair/step';

interface Held {
  back: number;
}
const tokenOf = ({ access }: Person, { back }: Held) => fromEnd(access, back);

const text = fc.oneof(fc.constantFrom('Ada', 'Zoë 🦊', null), nastyText);

export const read = stepsOf<Held & { path: string }>(
  'read',
  {
    back,
    path: fc.constantFrom(
      '/me',
      '/me/sessions',
      '/me/sessions?limit=1',
      '/me/api-keys?limit=1',
      '/me/identities',
      '/admin/users',
    ),
  },
  (side, person, { path, ...held }) => ask(side, 'GET', path, { token: tokenOf(person, held) }),
);

/** Goes on where the last list of any kind ended. */
export const readOn = stepsOf<Held & { path: string }>(
  'read on',
  { back, path: fc.constantFrom('/me/sessions', '/me/api-keys', '/admin/users') },
  (side, person, { path, ...held }) =>
    ask(side, 'GET', `${path}?limit=1&cursor=${side.cursor ?? 'none'}`, {
      token: tokenOf(person, held),
    }),
);

export const search = stepsOf<Held & { q: string; spelling: string; role: string; limit: number }>(
  'search for users',
  {
    back,
    q: fc.oneof(fc.constantFrom('a', 'anna', '@pair', '%', '_', '\\', 'ß'), nastyText),
    spelling,
    role: fc.constantFrom('', '', 'user', 'admin', 'ADMIN', 'admin ', 'nobody'),
    limit: fc.constantFrom(1, 3, 20),
  },
  (side, person, { q, spelling, role, limit, ...held }) => {
    const fields = {
      q: spelt(q, spelling).toWellFormed(),
      limit: String(limit),
      ...(role && { role }),
    };
    return ask(side, 'GET', `/admin/users?${new URLSearchParams(fields).toString()}`, {
      token: tokenOf(person, held),
    });
  },
);

export const rename = stepsOf<
  Held & { username: string | undefined; name: string | null | undefined; spelling: string }
>(
  'rename',
  {
    back,
    username: fc.constantFrom(undefined, 'anna', 'ánna', 'kim', 'ida', 'straße', 'moderator'),
    name: fc.option(text, { nil: undefined }),
    spelling,
  },
  async (side, person, { username, name, spelling, ...held }) => {
    const wanted = username && spelt(`${username}.${side.prefix}`, spelling);
    const body = { username: wanted, name };
    const answer = await side.ask('PATCH', '/me', { token: tokenOf(person, held), body });
    if (answer.status === 200 && wanted) person.username = answer.body.username;
    return answer;
  },
);

export const changePassword = stepsOf<Held & { other: string | null; password: string }>(
  'change the password',
  { back, other: typed, password: chosen },
  (side, person, { other, password, ...held }) => {
    const body = { currentPassword: secretOf(person, other), newPassword: password };
    return ask(side, 'PUT', '/me/password', { token: tokenOf(person, held), body }, password);
  },
);

export const changeEmail = stepsOf<Held & { name: string; spelling: string; other: string | null }>(
  'change the address',
  { back, name: fc.constantFrom('anna', 'kim', 'ida', 'straße', 'new'), spelling, other: typed },
  (side, person, { name, spelling, other, ...held }) => {
    const email = `${spelt(`${name}.${side.prefix}`, spelling)}@pair.example`;
    const body = { email, currentPassword: secretOf(person, other) };
    return side.ask('POST', '/me/email', { token: tokenOf(person, held), body });
  },
);

export const prove = stepsOf<Held & { other: string | null }>(
  'prove again',
  { back, other: typed },
  (side, person, { other, ...held }) =>
    side.ask('POST', '/auth/reauthenticate', {
      token: tokenOf(person, held),
      body: { password: secretOf(person, other) },
    }),
);

export const endSession = stepsOf<Held & { session: number; whose: number; all: boolean }>(
  'end sessions',
  { back, session: back, whose: fc.nat(3), all: fc.boolean() },
  (side, person, { session, whose, all, ...held }) => {
    const other = side.people[whose % side.people.length]!;
    const id = fromEnd(other.sessions, session) ?? 'none';
    const path = all ? '/me/sessions' : `/me/sessions/${id}`;
    return side.ask('DELETE', path, { token: tokenOf(person, held) });
  },
);

export const makeKey = stepsOf<
  Held & { name: string | null; scopes: string[] | undefined; expiresIn: number | undefined }
>(
  'make a key',
  {
    back,
    name: text,
    scopes: fc.option(
      fc.array(fc.constantFrom('user', 'admin', 'moderator', 'USER'), { maxLength: 3 }),
      { nil: undefined },
    ),
    expiresIn: fc.constantFrom(undefined, undefined, 60, 1, 315_360_000, 1.5),
  },
  async (side, person, { back, ...body }) => {
    const answer = await side.ask('POST', '/me/api-keys', {
      token: tokenOf(person, { back }),
      body,
    });
    if (answer.status === 201) person.keys.push({ id: answer.body.id, key: answer.body.key });
    return answer;
  },
);

export const useKey = stepsOf<Held & { path: string; method: string }>(
  'use a key',
  {
    back,
    path: fc.constantFrom('/me', '/admin/users', '/me/api-keys'),
    method: fc.constantFrom('GET', 'GET', 'GET', 'DELETE'),
  },
  (side, person, { back, path, method }) => {
    const { key = 'sp_none', id = 'none' } = fromEnd(person.keys, back) ?? {};
    return method === 'GET'
      ? side.ask('GET', path, { headers: { 'x-api-key': key } })
      : side.ask('DELETE', `/me/api-keys/${id}`, { token: tokenOf(person, { back: 0 }) });
  },
);

export const leave = stepsOf<Held & { other: string | null; confirmed: boolean }>(
  'delete the account',
  { back, other: typed, confirmed: fc.boolean() },
  (side, person, { other, confirmed, ...held }) =>
    side.ask('DELETE', '/me', {
      token: tokenOf(person, held),
      body: confirmed ? { confirm: 'delete' } : { password: secretOf(person, other) },
    }),
);
