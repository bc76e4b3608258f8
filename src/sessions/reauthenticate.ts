import { Session, User } from '#models/index';
import { emit } from '#src/core/events';
import { passwordMatches } from '#src/core/passwords';
import { Problem } from '#src/core/problem';

/**
 * Notes that the user of this session has just proved who they are. Throws 401 `invalid_credentials`, `session_ended`;
 * 403 `forbidden` for a credential without a session; `busy`.
 */
export async function reauthenticate(user: User, password: string): Promise<void> {
  if (!user.session) throw new Problem('forbidden', { members: { required: ['session'] } });
  const found = await User.findByPk(user.id, { attributes: ['passwordHash'] });
  if (!(await passwordMatches(password, found?.passwordHash))) throw new Problem('invalid_credentials');
  const now = new Date();
  const [rows] = await Session.update({ authenticatedAt: now }, { where: { id: user.session.id, ...Session.live(now) } });
  if (rows === 0) throw new Problem('session_ended');
  emit('session.reauthenticated', { userId: user.id, sessionId: user.session.id });
}
