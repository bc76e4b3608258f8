import * as fc from 'fast-check';
import { expect } from 'vitest';
import { grantRole, revokeRole } from '#src/access/roles';
import { password, type startApp } from '#test/support/app';
import type { Answer } from '#test/support/client';
import { elsewhere } from '#test/support/elsewhere';

type App = Awaited<ReturnType<typeof startApp>>;

/** A user with two devices. */
interface Sitter {
  id: string;
  name: string | null;
  admin: boolean;
  disabled: boolean;
  gone: boolean;
  seats: { id: string; token: string; refreshToken: string; ended: boolean }[];
}
const CHANGES = [
  'grant',
  'revoke',
  'disable',
  'enable',
  'sign out',
  'rename',
  'refresh',
  'delete',
] as const;
/** `elsewhere`: another process makes it, in the database. */
interface Change {
  what: (typeof CHANGES)[number];
  elsewhere: boolean;
  seat: number;
  /** How many requests are under way meanwhile. */
  meanwhile: number;
}

export const someChanges = (others: boolean): fc.Arbitrary<Change[]> =>
  fc.array(
    fc.record({
      what: fc.oneof(
        { weight: 20, arbitrary: fc.constantFrom(...CHANGES.slice(0, -1)) },
        { weight: 1, arbitrary: fc.constant('delete' as const) },
      ),
      elsewhere: others ? fc.boolean() : fc.constant(false),
      seat: fc.nat(1),
      meanwhile: fc.constantFrom(0, 0, 3, 10),
    }),
    { minLength: 1, maxLength: 12, size: 'max' },
  );

export async function sitDown({ register, logIn }: App): Promise<Sitter> {
  const user = await register();
  const tokens = [user.tokens, (await logIn(user.username)).body];
  const seats = tokens.map(({ accessToken, refreshToken, session }) => ({
    id: session.id,
    token: accessToken,
    refreshToken,
    ended: false,
  }));
  return { id: user.id, name: null, admin: false, disabled: false, gone: false, seats };
}

/** The expected answer of GET /me at a seat: the code of a refusal, or name and roles. */
function expected(who: Sitter, seat: number): string {
  if (who.gone) return 'session_ended';
  if (who.disabled) return 'user_disabled';
  return who.seats[seat]!.ended
    ? 'session_ended'
    : `${who.name} ${who.admin ? 'admin,user' : 'user'}`;
}
const said = ({ status, body }: Answer): string =>
  status === 200 ? `${body.name} ${body.roles.join()}` : body.code;

/** Asks at both seats, one after the other, for name and roles. */
export async function expectCurrent({ ask }: App, who: Sitter): Promise<void> {
  for (const [i, { token }] of who.seats.entries()) {
    const expectation = expected(who, i);
    expect(said(await ask('GET', '/me', { token }))).toBe(expectation);
    const { status } = await ask('GET', '/admin/users?limit=1', { token });
    expect(status).toBe(expectation.includes(' ') ? (who.admin ? 200 : 403) : 401);
  }
}

/**
 * Makes a change while requests are under way. Each is answered as before the change or as after
 * it.
 */
export async function change(
  app: App,
  changes: Changes,
  who: Sitter,
  { what, elsewhere, seat, meanwhile }: Change,
): Promise<void> {
  const before = [0, 1].map((i) => expected(who, i));
  const tokens = who.seats.map(({ token }) => token);
  const asking = Array.from({ length: meanwhile }, (_, i) =>
    app.ask('GET', '/me', { token: tokens[i % 2] }),
  );
  await (elsewhere ? inDatabase(app, what, who, seat) : changes[what](who, seat));
  for (const [i, answer] of (await Promise.all(asking)).entries())
    expect([before[i % 2], expected(who, i % 2)]).toContain(said(answer));
}

type Changes = Awaited<ReturnType<typeof changesOf>>;
let renamed = 0;

/** Each change as this server makes it, noted in the model. */
export async function changesOf({ ctx, ask, auth, User, Role }: App) {
  const admin = (await Role.findOne({ where: { name: 'admin' } }))!;
  const user = ({ id }: Sitter) => User.findByPk(id, { rejectOnEmpty: true });
  const unlessGone =
    (make: (who: Sitter, seat: number) => Promise<void>) => async (who: Sitter, seat: number) =>
      who.gone ? undefined : make(who, seat);
  const isIn = (who: Sitter, seat: number) => !who.disabled && !who.seats[seat]!.ended;
  return {
    grant: unlessGone(
      async (who) => void (await grantRole(ctx, await user(who), admin), (who.admin = true)),
    ),
    revoke: unlessGone(
      async (who) => void (await revokeRole(ctx, await user(who), admin), (who.admin = false)),
    ),
    disable: unlessGone(async (who) => {
      await auth.users.disable(who.id);
      who.disabled = true;
      for (const seat of who.seats) seat.ended = true;
    }),
    enable: unlessGone(
      async (who) => void (await auth.users.enable(who.id), (who.disabled = false)),
    ),
    'sign out': async (who: Sitter, seat: number) => {
      expect(
        (
          await ask('POST', '/auth/logout', {
            body: { refreshToken: who.seats[seat]!.refreshToken },
          })
        ).status,
      ).toBe(204);
      who.seats[seat]!.ended = true;
    },
    rename: unlessGone(async (who, seat) => {
      const name = `name ${++renamed}`;
      const { status } = await ask('PATCH', '/me', {
        token: who.seats[seat]!.token,
        body: { name },
      });
      expect(status).toBe(isIn(who, seat) ? 200 : 401);
      if (status === 200) who.name = name;
    }),
    refresh: unlessGone(async (who, seat) => {
      const held = who.seats[seat]!;
      const { status, body } = await ask('POST', '/auth/refresh', {
        body: { refreshToken: held.refreshToken },
      });
      expect(status).toBe(isIn(who, seat) ? 200 : 400);
      if (status === 200)
        Object.assign(held, { token: body.accessToken, refreshToken: body.refreshToken });
    }),
    delete: unlessGone(async (who, seat) => {
      const { status } = await ask('DELETE', '/me', {
        token: who.seats[seat]!.token,
        body: { password },
      });
      expect(status).toBe(isIn(who, seat) ? 204 : 401);
      who.gone = status === 204;
    }),
  };
}

/**
 * The same without the server. To disable a user there ends no session. A refresh is not made
 * there.
 */
async function inDatabase(
  { databaseUrl, Role }: App,
  what: Change['what'],
  who: Sitter,
  seat: number,
): Promise<void> {
  if (who.gone || what === 'refresh' || (what === 'grant' && who.admin)) return;
  const now = new Date();
  const role = (await Role.findOne({ where: { name: 'admin' } }))!.id;
  const name = `name ${++renamed}`;
  const sql = {
    grant: [
      'INSERT INTO user_roles (user_id, role_id, created_at) VALUES (?, ?, ?)',
      who.id,
      role,
      now,
    ],
    revoke: ['DELETE FROM user_roles WHERE user_id = ? AND role_id = ?', who.id, role],
    disable: ['UPDATE users SET disabled_at = ? WHERE id = ?', now, who.id],
    enable: ['UPDATE users SET disabled_at = ? WHERE id = ?', null, who.id],
    'sign out': ['UPDATE sessions SET ended_at = ? WHERE id = ?', now, who.seats[seat]!.id],
    rename: ['UPDATE users SET name = ? WHERE id = ?', name, who.id],
    delete: ['DELETE FROM users WHERE id = ?', who.id],
  } satisfies Record<string, [string, ...(string | Date | null)[]]>;
  const [statement, ...values] = sql[what] as [string, ...(string | Date | null)[]];
  await elsewhere(databaseUrl, statement, values);
  if (what === 'grant' || what === 'revoke') who.admin = what === 'grant';
  if (what === 'disable' || what === 'enable') who.disabled = what === 'disable';
  if (what === 'sign out') who.seats[seat]!.ended = true;
  if (what === 'rename') who.name = name;
  if (what === 'delete') who.gone = true;
}
