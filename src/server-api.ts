import type { Request } from 'express';
import type { Session, User } from '#models/index';
import { disableUser, enableUser } from '#src/account/disable';
import { removeUser } from '#src/account/me';
import { createRole, grantRole, revokeRole, RoleName } from '#src/access/roles';

import { throttled } from '#src/authentication/login-throttle';
import type { Context } from '#src/context';
import { listUsers } from '#src/admin/list-users';
import { confirmUser } from '#src/email/verify-email';
import { resetFactors } from '#src/factors/reset-factors';
import { replaceKeys, rotateKeys, tendKeys } from '#src/keys/rotation';
import { keySchedules, stateOf, type Scheduled } from '#src/keys/key-schedule';
import { setPassword } from '#src/passwords/set-password';
import { verifyCredentials } from '#src/passwords/verify-credentials';
import { Problem } from '#src/platform/http/problem';
import { invalidFields } from '#src/platform/http/parse';
import { register } from '#src/registration/register';
import { apiKeysApi, identitiesApi, named, passkeysApi } from '#src/server-api/credentials';
import { verifyAccessToken, type Claims } from '#src/sessions/access-tokens';
import { endEverySession } from '#src/sessions/end-every-session';
import { endSessions } from '#src/sessions/end-sessions';
import { recallSession, resumeSession } from '#src/sessions/resume';
import type { ThrottleSubject } from '#src/strategy-kit/strategy';
import { findUser } from '#src/users/find';
import type { Principal } from '#src/users/principal';
import { NewUser } from '#src/users/schemas';
import { forgetLoginFailures, identitySubject, throttleSubject } from '#src/users/throttle-subject';

/** A new user, as an app that embeds the server creates one. A username, an e-mail address, or both. */
export interface NewUserInput {
  username?: string;
  email?: string;
  password: string;
  name?: string;
  /** True if you vouch that the address is theirs. Without it, a mail asks to confirm it (EMAIL_VERIFICATION). */
  emailVerified?: boolean;
}

/**
 * What code in the same process may do: the use-cases of the command line and of the admin routes. A user is named by
 * username, e-mail address or id. Everything binds on the user's next request.
 */
export type ServerApi = ReturnType<typeof serverApi>;

export const serverApi = (ctx: Context) => ({
  users: usersApi(ctx),
  sessions: sessionsApi(ctx),
  roles: rolesApi(ctx),
  keys: keysApi(ctx),
  apiKeys: apiKeysApi(ctx),
  identities: identitiesApi(ctx),
  passkeys: passkeysApi(ctx),
  /**
   * Tries `verify` for a strategy whose credentials are in no body. Failures count against the account, as those at
   * `POST /auth/login` do. While it is locked, `verify` is asked about a user who does not exist. `strategy`: the name for
   * the event of a failure.
   * @throws {Problem} 429 `rate_limited` for the network
   */
  loginThrottle: <T>(
    req: Request,
    name: string,
    verify: (name: string) => Promise<T | null>,
    strategy = 'another',
  ): Promise<T | null> =>
    throttled(ctx, req, strategy, name, (each) => throttleSubject(ctx, each), verify),
});

const usersApi = (ctx: Context) => ({
  /** The user, loaded with roles, or null. */
  find: (user: string): Promise<User | null> => findUser(ctx, user),
  /** One page, in the order of registration. `limit` is 1 to 100. */
  list: (asked: { limit: number; cursor?: string; q?: string; role?: string }) =>
    listUsers(ctx, asked),
  /**
   * Creates a user with these roles (default: `user`).
   * @throws {Problem} 400 `invalid_request`, 404 `not_found` for a role, 409 `username_taken`, `email_taken`, 422
   * `weak_password`
   */
  async create(input: NewUserInput, roles?: readonly string[]): Promise<User> {
    const { data, error } = NewUser.safeParse(input);
    if (error) throw invalidFields(error);
    for (const role of roles ?? []) await roleNamed(ctx, role);
    return register(ctx, data, roles);
  },
  /**
   * Sets another password. Ends every session and API key of the user.
   * @throws {Problem} 404 `not_found`, 422 `weak_password`
   */
  setPassword: async (user: string, password: string): Promise<void> =>
    setPassword(ctx, (await named(ctx, user)).id, password),
  /** Takes the address for theirs. Answers false if there is none to verify. @throws {Problem} 404 `not_found` */
  async verifyEmail(user: string): Promise<boolean> {
    const { id, emailCanonical } = await named(ctx, user);
    return emailCanonical !== null && confirmUser(ctx, id, emailCanonical);
  },
  /** Lets a user in at once whom failed sign-ins keep out. @throws {Problem} 404 `not_found` */
  forgetFailures: async (user: string): Promise<void> =>
    forgetLoginFailures(ctx, (await named(ctx, user)).id, { secondFactors: true }),
  /** Takes every second factor from a user who has lost them. Answers how many. @throws {Problem} 404 `not_found` */
  resetFactors: async (user: string): Promise<number> =>
    resetFactors(ctx, (await named(ctx, user)).id),
  /** Ends every session of the user. @throws {Problem} 404 `not_found`, 409 `last_admin` */
  disable: async (user: string): Promise<void> => disableUser(ctx, (await named(ctx, user)).id),
  /** @throws {Problem} 404 `not_found` */
  enable: async (user: string): Promise<void> => enableUser(ctx, (await named(ctx, user)).id),
  /** Deletes the user and all that is theirs. @throws {Problem} 404 `not_found`, 409 `last_admin` */
  delete: async (user: string): Promise<void> => removeUser(ctx, (await named(ctx, user)).id),
  /** The user whom these credentials belong to, loaded with roles, or null. It starts no session and counts nothing. */
  verifyPassword: (identifier: string, password: string): Promise<User | null> =>
    verifyCredentials(ctx, identifier, password),
  /** Whom failed sign-ins with this name count against. */
  throttleSubject: (name: string): Promise<ThrottleSubject> => throttleSubject(ctx, name),
  /** The same for an account of a provider, by its permanent id there, if the name that was typed has one. */
  identitySubject: (
    provider: string,
    subject: string | undefined,
    typed: string,
  ): Promise<ThrottleSubject> => identitySubject(ctx, provider, subject, typed),
});

const sessionsApi = (ctx: Context) => ({
  /** The live sessions of a user, newest first. @throws {Problem} 404 `not_found` */
  async list(user: string): Promise<Session[]> {
    const { id } = await named(ctx, user);
    const where = { userId: id, ...ctx.db.Session.live(ctx.clock.date()) };
    return ctx.db.Session.findAll({ where, order: [['id', 'DESC']] });
  },
  /** Ends one session. Answers false if it had ended. */
  end: async (sessionId: string): Promise<boolean> =>
    (await endSessions(ctx, { id: sessionId }, 'signed_out')) > 0,
  /** Ends every session of a user. Answers how many. @throws {Problem} 404 `not_found` */
  endAll: async (user: string): Promise<number> =>
    endSessions(ctx, { userId: (await named(ctx, user)).id }, 'signed_out'),
  /** Ends every session of every user, and voids links and codes. Answers how many sessions ended. */
  endAllOfEverybody: (): Promise<number> => endEverySession(ctx),
  /** The claims of a genuine access token that has not expired. @throws {Problem} 401 `token_invalid`, `token_expired` */
  verifyAccessToken: (token: string): Promise<Claims> => verifyAccessToken(ctx, token),
  /** The principal of the live session of these claims. @throws {Problem} 401 `session_ended`, `user_disabled` */
  resume: (claims: Claims): Promise<Principal> => resumeSession(ctx, claims),
  /** Both at once, from memory: undefined says nothing about the token, so ask them. It never waits. */
  recall: (token: string): Principal | undefined => recallSession(ctx, token),
});

const rolesApi = (ctx: Context) => ({
  async list(): Promise<string[]> {
    const roles = await ctx.db.Role.findAll({ order: [['name', 'ASC']] });
    return roles.map(({ name }) => name);
  },
  /** Answers false if it existed. @throws {Problem} 400 `invalid_request` */
  async create(role: string): Promise<boolean> {
    const { data, error } = RoleName.safeParse(role);
    if (error) throw invalidFields(error);
    return createRole(ctx, data);
  },
  /** Answers false if the user had the role. @throws {Problem} 404 `not_found` */
  grant: async (user: string, role: string): Promise<boolean> =>
    grantRole(ctx, await named(ctx, user), await roleNamed(ctx, role)),
  /** Answers false if the user did not have the role. @throws {Problem} 404 `not_found`, 409 `last_admin` */
  revoke: async (user: string, role: string): Promise<boolean> =>
    revokeRole(ctx, await named(ctx, user), await roleNamed(ctx, role)),
});

async function roleNamed({ db }: Context, name: string) {
  const role = await db.Role.findOne({ where: { name } });
  if (!role) throw new Problem('not_found');
  return role;
}

const keysApi = (ctx: Context) => ({
  /** Every signing key with its state: pending, active, retiring. */
  async list() {
    const rows = await ctx.db.SigningKey.findAll();
    return keySchedules(ctx.settings, rows).map((key) => listedKey(ctx, key));
  },
  /** Makes the next key, and answers it. It signs when every cache of the public keys has run out. */
  async rotate() {
    const next = await rotateKeys(ctx);
    await tendKeys(ctx); // this instance knows it at once
    return listedKey(ctx, next);
  },
  /** For keys that others may know: a new key signs at once, and what the others signed is refused. */
  async replace(): Promise<void> {
    await replaceKeys(ctx);
    await tendKeys(ctx);
  },
});

function listedKey({ clock }: Context, { row, ...schedule }: Scheduled) {
  return {
    kid: row.kid,
    algorithm: row.algorithm,
    state: stateOf(schedule, clock.now()),
    signsFrom: new Date(schedule.signsFrom),
  };
}
