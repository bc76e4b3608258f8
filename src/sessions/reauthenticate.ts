import type { Context } from '#src/context';
import { takeTurn } from '#src/platform/database/take-turn';
import { Problem } from '#src/platform/http/problem';
import { isTwoFactors, methodsIn, methodsOf, proofOf } from '#src/users/assurance';
import type { Principal, PrincipalSession } from '#src/users/principal';

/**
 * For a user who gives their password again.
 * @throws {Problem} 401 `invalid_credentials`; 503 `busy`
 */
export async function requireOwnPassword(
  { db, passwords }: Context,
  { id }: Principal,
  password: string,
): Promise<void> {
  const user = await db.User.findByPk(id, { attributes: ['passwordHash'] });
  if (!(await passwords.matches(password, user?.passwordHash)))
    throw new Problem('invalid_credentials');
}

/**
 * Notes that the user of this session has just proved who they are. Two factors (`mfa`) make the session `aal2`. With one,
 * it stays what it is, and what it proved before is not renewed.
 * @throws {Problem} 401 `session_ended`; 403 `forbidden` for a credential without a session
 */
export const proveAgain = (ctx: Context, principal: Principal, amr: readonly string[]) =>
  ctx.db.transaction(async () => {
    const { db, clock, events } = ctx;
    const { id } = requireSession(principal);
    const now = clock.date();
    const isLive = await takeTurn(db.Session, { id, ...db.Session.live(now) });
    const session = isLive && (await db.Session.findByPk(id));
    if (!session) throw new Problem('session_ended');
    session.amr = methodsOf(methodsIn(session.amr), amr);
    session.authenticatedAt = now;
    if (isTwoFactors(amr)) session.aal2At = now;
    await session.save();
    const proof = proofOf(session);
    events.emit('session.reauthenticated', { userId: principal.id, sessionId: id, ...proof });
  });

/** @throws {Problem} 403 `forbidden` for a credential without a session */
export function requireSession({ session }: Principal): PrincipalSession {
  if (!session) throw new Problem('forbidden', { members: { required: ['session'] } });
  return session;
}
