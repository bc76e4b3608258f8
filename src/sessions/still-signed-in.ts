import { Session, User } from '#models/index';
import { Problem } from '#src/core/problem';

/**
 * A user who was let in, as they are now; their row and that of their session stay locked until the transaction around this call
 * ends. Guards run before the body has arrived, and it may take its time: what outlasts a session is not made once that has ended.
 * Throws 401 `session_ended`.
 */
export async function stillSignedIn({ id, session }: User): Promise<User> {
  const user = await User.findOne({ where: { id, disabledAt: null }, lock: true });
  if (!user || (session && !(await isLive(session.id)))) throw new Problem('session_ended');
  return user;
}

const isLive = async (id: string): Promise<boolean> =>
  (await Session.findOne({ attributes: ['id'], where: { id, ...Session.live(new Date()) }, lock: true })) !== null;
