import type { WhereOptions } from 'sequelize';
import { Session, transaction } from '#models/index';
import { emit, type Ending } from '#src/core/events';

/**
 * Ends those of these sessions that have not ended, for good: from the next request on every token of theirs is refused. Answers
 * how many. One by one, by id: a lock on more than that row would meet those who refresh the other way round.
 */
export const endSessions = (which: WhereOptions<Session>, why: Ending): Promise<number> =>
  transaction(async () => {
    let ended = 0;
    const now = new Date();
    for (const { id, userId } of await Session.findAll({ attributes: ['id', 'userId'], where: { ...which, endedAt: null } })) {
      const [changed] = await Session.update({ endedAt: now, expiresAt: now }, { where: { id, endedAt: null } });
      if (changed === 1) emit('session.ended', { userId, sessionId: id, why });
      ended += changed;
    }
    return ended;
  });
