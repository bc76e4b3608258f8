import type { Request } from 'express';
import type { Session } from '#models/index';
import { endUserSessions } from '#src/admin/govern-user';
import { throttled } from '#src/authentication/login-throttle';
import type { Context } from '#src/context';
import { replaceKeys, rotateKeys, tendKeys } from '#src/keys/rotation';
import { keySchedules, stateOf, type Scheduled } from '#src/keys/key-schedule';
import { auditApi } from '#src/server-api/audit';
import { apiKeysApi, identitiesApi, named, passkeysApi } from '#src/server-api/credentials';
import { invitationsApi } from '#src/server-api/invitations';
import { rolesApi } from '#src/server-api/roles';
import { servicesApi } from '#src/server-api/services';
import { usersApi } from '#src/server-api/users';
import { webhooksApi } from '#src/server-api/webhooks';
import { verifyAccessToken, type Claims } from '#src/sessions/access-tokens';
import { endEverySession } from '#src/sessions/end-every-session';
import { endSessions } from '#src/sessions/end-sessions';
import { recallSession, resumeSession } from '#src/sessions/resume';
import type { Principal } from '#src/users/principal';
import { throttleSubject } from '#src/users/throttle-subject';

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
  audit: auditApi(ctx),
  apiKeys: apiKeysApi(ctx),
  identities: identitiesApi(ctx),
  invitations: invitationsApi(ctx),
  passkeys: passkeysApi(ctx),
  webhooks: webhooksApi(ctx),
  services: servicesApi(ctx),
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
    endUserSessions(ctx, (await named(ctx, user)).id),
  /** Ends every session of every user, and voids links and codes. Answers how many sessions ended. */
  endAllOfEverybody: (): Promise<number> => endEverySession(ctx),
  /** The claims of a genuine access token that has not expired. @throws {Problem} 401 `token_invalid`, `token_expired` */
  verifyAccessToken: (token: string): Promise<Claims> => verifyAccessToken(ctx, token),
  /**
   * The principal of the live session of these claims. `provenKey`: the key that the sender has proved to hold (RFC 9449).
   * @throws {Problem} 401 `session_ended`, `user_disabled`, `invalid_dpop_proof`
   */
  resume: (claims: Claims, provenKey?: string): Promise<Principal> =>
    resumeSession(ctx, claims, provenKey),
  /** Both at once, from memory: undefined says nothing about the token, so ask them. It never waits. */
  recall: (token: string): Principal | undefined => recallSession(ctx, token),
});

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
