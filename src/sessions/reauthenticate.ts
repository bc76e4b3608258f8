import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import type { Principal } from '#src/users/principal';

/**
 * Makes the session of this request fresh, for a user who gives their password again.
 * @throws {Problem} 401 `invalid_credentials`, `session_ended`; 403 `forbidden` for a credential without a session; 503
 * `busy`
 */
export async function reauthenticate(
  { db, clock, events, passwords }: Context,
  { id: userId, session }: Principal,
  password: string,
): Promise<void> {
  if (!session) throw new Problem('forbidden', { members: { required: ['session'] } });
  const user = await db.User.findByPk(userId, { attributes: ['passwordHash'] });
  if (!(await passwords.matches(password, user?.passwordHash)))
    throw new Problem('invalid_credentials');
  const now = clock.date();
  const [changed] = await db.Session.update(
    { authenticatedAt: now },
    { where: { id: session.id, ...db.Session.live(now) } },
  );
  if (changed === 0) throw new Problem('session_ended');
  events.emit('session.reauthenticated', { userId, sessionId: session.id });
}
