import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { grantRole } from '#src/access/roles';
import { Principal } from '#src/users/principal';
import { startApp } from '#test/support/app';
import { eventually } from '#test/support/eventually';

// With a database server, too, requests share what was read.
const { ctx, auth, register, Role, Session, User } = await startApp({
  API_KEYS: 'on',
  SESSION_CACHE_TTL: '60',
});

/** What a route of the host app does with `req.user`. */
let handle: (user: Principal) => unknown = () => {};
beforeEach(() => {
  handle = () => {};
});

const host = express();
host.get('/guard', auth.authenticate(), async (req, res) => {
  await handle(req.user as Principal);
  res.sendStatus(204);
});
host.get('/passport', auth.passport.authenticate('jwt', { session: false }), async (req, res) => {
  await handle(req.user as Principal);
  res.sendStatus(204);
});
const server = host.listen(0, '127.0.0.1');
await once(server, 'listening');
afterAll(() => void server.close());

const { port } = server.address() as AddressInfo;
async function ask(headers: Record<string, string>, path = '/guard') {
  const { status } = await fetch(`http://127.0.0.1:${port}${path}`, { headers });
  expect(status).toBe(204);
}
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

/** The principal of one request. */
async function principalOf(headers: Record<string, string>, path?: string): Promise<Principal> {
  let found: Principal | undefined;
  handle = (user) => (found = user);
  await ask(headers, path);
  return found!;
}

/** As a host app in JavaScript sees an object. */
const open = (value: object | null) => value as unknown as Record<string, unknown>;
const openList = (value: readonly string[] | null) => value as string[];

const FIELDS = [
  'id',
  'username',
  'email',
  'emailVerified',
  'name',
  'locale',
  'roles',
  'permissions',
  'factors',
  'session',
  'scopes',
  'actor',
];
const SESSION_FIELDS = ['id', 'strategy', 'amr', 'acr', 'authTime', 'aal2Time'];
let made = 0;
const newUser = () => {
  const username = `Reach.Ada${++made}`;
  return { username, email: `${username}@Example.com`, name: 'Ada' };
};

describe('req.user on a route of the host app', () => {
  it.each(['/guard', '/passport'])(
    'is a frozen principal with exactly these fields: %s',
    async (path) => {
      const fields = newUser();
      const { id, token, tokens } = await register(fields, 'moderator');
      const user = await principalOf(bearer(token), path);
      expect(user).toBeInstanceOf(Principal);
      expect(Reflect.ownKeys(user)).toEqual(FIELDS);
      expect(Reflect.ownKeys(user.session!)).toEqual(SESSION_FIELDS);
      const { createdAt } = (await Session.findByPk(tokens.session.id))!;
      expect({ ...user }).toEqual({
        ...fields,
        id,
        emailVerified: false,
        locale: null,
        roles: ['moderator', 'user'],
        permissions: [],
        factors: 0,
        session: {
          id: tokens.session.id,
          strategy: 'local',
          amr: ['pwd'],
          acr: 'aal1',
          authTime: createdAt.getTime() / 1000,
          aal2Time: null,
        },
        scopes: null,
        actor: null,
      });
      for (const each of [user, user.roles, user.permissions, user.session, user.session!.amr])
        expect(Object.isFrozen(each)).toBe(true);
    },
  );

  it('has no session with an API key, and only the roles that the key may use', async () => {
    const ada = await register({}, 'moderator');
    const { status, body, text } = await ada.ask('POST', '/me/api-keys', {
      body: { name: 'a robot', scopes: ['user'] },
    });
    expect(status, text).toBe(201);
    const user = await principalOf({ 'x-api-key': body.key });
    expect(user).toBeInstanceOf(Principal);
    expect(Reflect.ownKeys(user)).toEqual(FIELDS);
    expect(user).toMatchObject({ id: ada.id, roles: ['user'], session: null, scopes: ['user'] });
    for (const each of [user, user.roles, user.permissions, user.scopes])
      expect(Object.isFrozen(each)).toBe(true);
    expect(() => openList(user.scopes).push('moderator')).toThrow(TypeError);
    expect(() => openList(user.roles).push('moderator')).toThrow(TypeError);
  });

  it('leads to nothing of the row, nor to the row itself', async () => {
    const fields = newUser();
    const { id, token } = await register(fields);
    const user = await principalOf(bearer(token));
    const { passwordHash, usernameCanonical, emailCanonical } = (await User.findByPk(id))!;
    const secrets = [passwordHash, usernameCanonical, emailCanonical];
    expect(secrets).toEqual([
      expect.stringMatching(/\w/),
      fields.username.toLowerCase(),
      fields.email.toLowerCase(),
    ]);
    const { names, values } = reachableFrom(user);
    expect(names).toEqual(expect.arrayContaining([...FIELDS, ...SESSION_FIELDS]));
    expect(
      names.filter((name) => /password|hash|canonical|sequelize|dataValues|disabled/i.test(name)),
    ).toEqual([]);
    for (const secret of secrets) expect(values).not.toContain(secret);
    for (const text of [JSON.stringify(user), values.map(String).join('\n')])
      for (const secret of secrets) expect(text).not.toContain(secret);
    expect(values.filter((value) => value instanceof User || value instanceof Session)).toEqual([]);
  });
});

/** Every name and value that can be reached from an object, but not those of built-in classes. */
function reachableFrom(root: object) {
  const builtIn = new Set<unknown>([Object, Array, Function].map(({ prototype }) => prototype));
  const seen = new Set<unknown>();
  const names = new Set<string>();
  const visit = (value: unknown) => {
    if (seen.has(value) || builtIn.has(value)) return;
    seen.add(value);
    if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return;
    for (const name of Reflect.ownKeys(value)) {
      names.add(String(name));
      visit(Reflect.get(value, name));
    }
    visit(Object.getPrototypeOf(value));
  };
  visit(root);
  return { names: [...names], values: [...seen] };
}

/** What a careless or a malicious host app may try. */
const writes: [what: string, write: (user: Principal) => unknown][] = [
  ...FIELDS.map((name): (typeof writes)[number] => [
    `sets ${name}`,
    (user) => (open(user)[name] = 'changed'),
  ]),
  ...FIELDS.map((name): (typeof writes)[number] => [
    `deletes ${name}`,
    (user) => delete open(user)[name],
  ]),
  ['adds a field', (user) => (open(user)['isAdmin'] = true)],
  ['adds a symbol', (user) => Object.assign(user, { [Symbol('mark')]: true })],
  ['defines a getter', (user) => Object.defineProperty(user, 'roles', { get: () => ['admin'] })],
  ['changes its class', (user) => Object.setPrototypeOf(user, { isAdmin: true })],
  ['adds a role', (user) => openList(user.roles).push('admin')],
  ['puts a role first', (user) => openList(user.roles).unshift('admin')],
  ['replaces a role', (user) => (openList(user.roles)[0] = 'admin')],
  ['removes the roles', (user) => (openList(user.roles).length = 0)],
  ['sorts the roles', (user) => openList(user.roles).sort().reverse()],
  ['names another method of the roles', (user) => (open(user.roles)['includes'] = () => true)],
  ...SESSION_FIELDS.map((name): (typeof writes)[number] => [
    `sets session.${name}`,
    (user) => (open(user.session)[name] = name === 'authTime' ? Infinity : 'changed'),
  ]),
  ['adds a method of proof', (user) => openList(user.session!.amr).push('mfa')],
  ['deletes session.id', (user) => delete open(user.session)['id']],
  ['adds a field to the session', (user) => (open(user.session)['mfa'] = true)],
];

function succeeds(work: () => unknown): boolean {
  try {
    work();
    return true;
  } catch {
    return false;
  }
}

describe('a host app that', () => {
  it.each(writes)(
    '%s of req.user gets a TypeError, and nothing has changed',
    async (_what, write) => {
      const { token } = await register(newUser(), 'moderator');
      const before = structuredClone({ ...(await principalOf(bearer(token))) });
      let thrown: unknown;
      let after: unknown;
      handle = (user) => {
        try {
          write(user);
        } catch (error) {
          thrown = error;
        }
        after = { ...user };
      };
      await ask(bearer(token));
      expect(thrown).toBeInstanceOf(TypeError);
      expect(after).toEqual(before);
      expect({ ...(await principalOf(bearer(token))) }).toEqual(before);
    },
  );
});

describe('requests of one session', () => {
  /** Two requests that are in their handlers at the same time, and their principals. */
  async function together(token: string, first: (user: Principal) => void = () => {}) {
    const users: Principal[] = [];
    const both = Promise.withResolvers<void>();
    handle = async (user) => {
      users.push(user);
      if (users.length === 2) both.resolve();
      await both.promise;
      if (user === users[0]) first(user);
    };
    await Promise.all([ask(bearer(token)), ask(bearer(token))]);
    return users as [Principal, Principal];
  }

  it('share one object when they come at once, and neither can change it for the other', async () => {
    const { token } = await register(newUser(), 'moderator');
    const before = structuredClone({ ...(await principalOf(bearer(token))) });
    // Sharing is allowed, not promised. It must happen once here, or this would test nothing.
    await eventually(async () => {
      const allowed: string[] = [];
      const [one, other] = await together(token, (user) => {
        for (const [what, write] of writes) if (succeeds(() => write(user))) allowed.push(what);
      });
      expect(allowed).toEqual([]);
      expect({ ...other }).toEqual(before);
      expect(other).toBe(one);
    });
  });

  it('never change a principal that somebody holds: a new role makes a new one', async () => {
    const { id, token } = await register(newUser());
    const held = await principalOf(bearer(token));
    const role = (await Role.findOne({ where: { name: 'moderator' } }))!;
    await grantRole(ctx, { id }, role);
    expect((await principalOf(bearer(token))).roles).toEqual(['moderator', 'user']);
    expect(held.roles).toEqual(['user']);
  });
});
