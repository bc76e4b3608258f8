import type { User } from '#models/index';
import type { Context } from '#src/context';
import { takeTurn } from '#src/platform/database/take-turn';
import { Problem } from '#src/platform/http/problem';
import type { Principal } from '#src/users/principal';

/**
 * The current row of a signed-in user. The caller has the turn of this row and of the session's until the transaction
 * around this call ends. Call it before a change that outlasts a session: guards run before the body has arrived, which may take long,
 * and the session may have ended meanwhile. Nobody makes such a change in the name of somebody else.
 * @throws {Problem} 401 `session_ended`, 403 `impersonated`
 */
export async function requireLiveSession(
  ctx: Context,
  { id, session, actor }: Principal,
): Promise<User> {
  if (actor) throw new Problem('impersonated');
  const { User, Session } = ctx.db;
  const isActive = await takeTurn(User, { id, disabledAt: null });
  const live = session && { id: session.id, ...Session.live(ctx.clock.date()) };
  const user = isActive && (!live || (await takeTurn(Session, live))) && (await User.findByPk(id));
  if (!user) throw new Problem('session_ended');
  return user;
}
