import { LRUCache } from 'lru-cache';
import { Op } from 'sequelize';
import { unnoticed } from '#models/commits';
import { Session } from '#models/index';
import { log } from '#src/core/log';

const MINUTE = 60_000;

/** What was written or is being written, for a while: of requests that come together one writes, and what fails is not tried by each. */
const attempts = new LRUCache<string, Promise<void>>({ max: 10_000, ttl: 5000 });

/**
 * Notes that a session is in use: at once when a generation is used for the first time, which makes its parent's return a theft;
 * else at most once a minute. A request that reads is answered also when this cannot be written.
 */
export function noteUse(session: Session, generation: number): Promise<void> | undefined {
  const now = Date.now();
  const first = !session.acknowledged && generation === session.generation;
  if (!first && now - (session.lastSeenAt ?? session.createdAt).getTime() < MINUTE) return;
  const attempt = `${session.id} ${first ? generation : ''} ${Math.floor(now / MINUTE)}`;
  let writing = attempts.get(attempt);
  if (!writing) attempts.set(attempt, (writing = write(session, first, new Date(now))));
  return writing;
}

async function write(session: Session, first: boolean, now: Date): Promise<void> {
  const { id, generation } = session;
  const seen = { lastSeenAt: now, ...(first && { acknowledged: true }) };
  const due = first
    ? { generation, acknowledged: false }
    : { lastSeenAt: { [Op.or]: [null, { [Op.lt]: new Date(now.getTime() - MINUTE) }] } };
  try {
    await Session.update(seen, { where: { id, ...due }, ...unnoticed });
    session.set(seen);
  } catch (error) {
    log.warn({ err: error, sessionId: id }, 'the use of a session could not be noted');
  }
}
