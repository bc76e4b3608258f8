import type { User } from '#models/index';
import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import type { Principal } from '#src/users/principal';

/**
 * The current row of a signed-in user. It and the row of the session stay locked until the transaction around this call
 * ends. Call it before a change that outlasts a session: guards run before the body has arrived, which may take long,
 * and the session may have ended meanwhile.
 * @throws {Problem} 401 `session_ended`
 */
export async function requireLiveSession(ctx: Context, { id, session }: Principal): Promise<User> {
  const user = await ctx.db.User.findOne({ where: { id, disabledAt: null }, lock: true });
  if (!user || (session && !(await isStillLive(ctx, session.id))))
    throw new Problem('session_ended');
  return user;
}

async function isStillLive({ db, clock }: Context, id: string): Promise<boolean> {
  const where = { id, ...db.Session.live(clock.date()) };
  return (await db.Session.findOne({ attributes: ['id'], where, lock: true })) !== null;
}
