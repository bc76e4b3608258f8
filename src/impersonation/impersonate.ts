import { Op } from 'sequelize';
import { v7 as uuid } from 'uuid';
import type { z } from 'zod';
import type { Session, User } from '#models/index';
import type { Context } from '#src/context';
import { impersonatedMail } from '#src/impersonation/mails';
import type { ImpersonationTokens } from '#src/impersonation/schemas';
import { lifetimes } from '#src/lifetimes';
import { issueToken } from '#src/one-time-tokens/one-time-tokens';
import { takeTurn } from '#src/platform/database/take-turn';
import { Problem } from '#src/platform/http/problem';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo } from '#src/platform/mail/template';
import { signAccessToken } from '#src/sessions/access-tokens';
import { tokenTypeOf } from '#src/sessions/issue-tokens';
import type { Device } from '#src/sessions/device';
import { endSessions } from '#src/sessions/end-sessions';
import type { ReportedSession } from '#src/sessions/new-device';
import { requireSession } from '#src/sessions/reauthenticate';
import { requireLivePermission } from '#src/sessions/require-live-permission';
import { countAdminMail } from '#src/user-mail/admin-mail-limit';
import { END_SESSION } from '#src/user-mail/mail-tokens';
import { greetingName } from '#src/user-mail/recipients';
import { proofOf } from '#src/users/assurance';
import { IMPERSONATE, mayImpersonate } from '#src/users/impersonation';
import { principalOf, type Principal } from '#src/users/principal';
import { publicUser } from '#src/users/schemas';
import { stepUp } from '#src/users/step-up';
import { findWithRoles } from '#src/users/with-roles';

/**
 * Starts a session in which an administrator acts for a user, and tells the user. It is no sign-in: it replaces no session
 * of the user, and forgets no failed one. An earlier session of the same two ends. Both are read again in the transaction.
 * `resumeSession` says what each request in that session needs.
 * @throws {Problem} 404 `not_found`; 409 `conflict` for a user who is disabled; 403 `forbidden` for oneself, for a user with
 * permissions that the administrator lacks, and for one who may do the same; 429 `rate_limited`
 */
export async function impersonate(
  ctx: Context,
  actor: Principal,
  userId: string,
  reason: string,
  device: Device,
): Promise<z.input<typeof ImpersonationTokens>> {
  const before = await ctx.db.User.findByPk(userId);
  await countAdminMail(ctx, actor, before?.emailCanonical);
  return ctx.db.transaction(async () => {
    const held = await requireLivePermission(ctx, actor, IMPERSONATE);
    await requireTwoFactors(ctx, actor);
    const user = await userToBe(ctx, actor, held, userId);
    await endBefore(ctx, actor, user);
    const session = await startSession(ctx, actor, user, reason, device);
    const { id, strategy, createdAt, expiresAt } = session;
    return {
      tokenType: tokenTypeOf(session),
      accessToken: signAccessToken(ctx, session, lifetimes.impersonationSeconds),
      expiresIn: lifetimes.impersonationSeconds,
      session: { id, strategy, createdAt, expiresAt, ...proofOf(session) },
      user: publicUser(principalOf(user)),
    };
  });
}

/** The guard saw the session before the body came. The factor may have been removed since. */
async function requireTwoFactors({ db }: Context, actor: Principal): Promise<void> {
  const { id } = requireSession(actor);
  if (!(await takeTurn(db.Session, { id, aal2At: { [Op.ne]: null } })))
    throw stepUp({ acr: 'aal2' });
}

/** It does not say what the user may do: who impersonates need not be somebody who may read that. */
const refused = () => new Problem('forbidden', { members: { required: [] } });

async function userToBe(
  { db }: Context,
  actor: Principal,
  held: readonly string[],
  id: string,
): Promise<User> {
  if (id === actor.id) throw refused();
  const user = (await takeTurn(db.User, { id })) && (await findWithRoles(db, { id }));
  if (!user) throw new Problem('not_found');
  if (!mayImpersonate(held, principalOf(user).permissions)) throw refused();
  if (user.disabledAt) throw new Problem('conflict');
  return user;
}

/** Of one administrator, a user has one session at most: they need not end many to be left alone. */
async function endBefore(ctx: Context, { id: actorId }: Principal, { id: userId }: User) {
  const live = ctx.db.Session.live(ctx.clock.date());
  await endSessions(ctx, { userId, actorId, ...live }, 'replaced');
}

async function startSession(
  ctx: Context,
  actor: Principal,
  user: User,
  reason: string,
  { userAgent = null, ip = null, dpopKey = null }: Device,
) {
  const { db, clock, events } = ctx;
  const own = requireSession(actor);
  const now = clock.date();
  const actorName = actor.username ?? actor.name;
  const session = await db.Session.create({
    id: uuid(),
    userId: user.id,
    strategy: 'impersonation',
    userAgent,
    ip,
    dpopKey,
    // The user has proved nothing. The administrator did, in their own session.
    authenticatedAt: new Date(Math.round(own.authTime * 1000)),
    actorId: actor.id,
    actorSessionId: own.id,
    actorName,
    actorReason: reason,
    createdAt: now,
    expiresAt: new Date(now.getTime() + lifetimes.impersonationSeconds * 1000),
  });
  events.emit('session.impersonated', {
    userId: user.id,
    sessionId: session.id,
    actorId: actor.id,
    actorSessionId: own.id,
    reason,
    ip,
  });
  await tellOwner(ctx, user, session);
  return session;
}

async function tellOwner(ctx: Context, user: User, session: Session): Promise<void> {
  const { id: sessionId, userId, createdAt, actorName, actorReason } = session;
  if (!user.email) return;
  const data: ReportedSession = { sessionId };
  const seconds = lifetimes.impersonationSeconds;
  const token = await issueToken(ctx, END_SESSION, seconds, { userId, data });
  const mail = impersonatedMail({
    name: greetingName(user),
    at: createdAt,
    actor: actorName,
    reason: actorReason!,
    link: linkTo(ctx.settings, '/end-session', { token }),
  });
  await queueMail(ctx, user.email, mail, user);
}
