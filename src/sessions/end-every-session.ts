import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { purge } from '#src/platform/database/purge';
import { endSessions } from '#src/sessions/end-sessions';

/** Sessions in one transaction. */
const BATCH = 500;

/**
 * Ends every session of every user, and voids every one-time token: links, codes and sign-ins under way. Ids that must
 * not be used a second time stay known. Answers how many sessions ended.
 */
export async function endEverySession(ctx: Context): Promise<number> {
  const { db } = ctx;
  let ended = 0;
  // Along the primary key: a search for those that are left would look at all that have ended, each time.
  for (let last = ''; ;) {
    const where = { id: { [Op.gt]: last }, endedAt: null };
    const page = { attributes: ['id'], order: ['id'], limit: BATCH };
    const found = await db.Session.findAll({ ...page, where });
    if (found.length === 0) break;
    last = found.at(-1)!.id;
    ended += await endSessions(ctx, { id: found.map(({ id }) => id) }, 'signed_out');
  }
  await voidEveryToken(ctx);
  await voidEveryInvitation(ctx);
  return ended;
}

/** Their links. The invitations stay, and can be sent again. */
async function voidEveryInvitation({ db: { Invitation } }: Context): Promise<void> {
  let last = '';
  await purge(async (limit) => {
    const found = await Invitation.findAll({
      attributes: ['id'],
      where: { id: { [Op.gt]: last } },
      order: ['id'],
      limit,
    });
    last = found.at(-1)?.id ?? last;
    await Invitation.update({ digest: null }, { where: { id: found.map(({ id }) => id) } });
    return found.length;
  });
}

async function voidEveryToken({ db: { OneTimeToken } }: Context): Promise<void> {
  const isToken = ['userId', 'signUpId', 'data'].map((column) => ({ [column]: { [Op.ne]: null } }));
  let last = '';
  await purge(async (limit) => {
    const found = await OneTimeToken.findAll({
      attributes: ['digest'],
      where: { digest: { [Op.gt]: last }, [Op.or]: isToken },
      order: ['digest'],
      limit,
    });
    last = found.at(-1)?.digest ?? last;
    await OneTimeToken.destroy({ where: { digest: found.map(({ digest }) => digest) } });
    return found.length;
  });
}
