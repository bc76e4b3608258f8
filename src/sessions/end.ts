import type { WhereOptions } from 'sequelize';
import { Session, transaction } from '#models/index';
import { emit, type Ending } from '#src/core/events';

/** Ends those of these sessions that have not ended, for good: from the next request on every token of theirs is refused. Answers how many. */
export const endSessions = (which: WhereOptions<Session>, why: Ending): Promise<number> =>
  transaction(async () => {
    const ending = await Session.findAll({ attributes: ['id', 'userId'], where: { ...which, endedAt: null }, lock: true });
    await Session.update({ endedAt: new Date() }, { where: { id: ending.map(({ id }) => id) } });
    for (const { id, userId } of ending) emit('session.ended', { userId, sessionId: id, why });
    return ending.length;
  });
