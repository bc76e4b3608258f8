import type { Context } from '#src/context';
import { factorsResetMail } from '#src/factors/mails';
import { noticeFor, notifyOwner } from '#src/factors/notices';
import { takeTurn } from '#src/platform/database/take-turn';
import { Problem } from '#src/platform/http/problem';
import { lowerSessions } from '#src/sessions/lower-sessions';
import { voidPending } from '#src/user-mail/void-pending';

/**
 * Takes every second factor and recovery code from a user who has lost them, and tells them. Their sessions go on as
 * `aal1`. It answers how many factors there were. Only operators and administrators may call it: the server does not know
 * who asks for it.
 * @throws {Problem} 404 `not_found`
 */
export const resetFactors = (ctx: Context, userId: string): Promise<number> =>
  ctx.db.transaction(async () => {
    const { db, events } = ctx;
    const user = (await takeTurn(db.User, { id: userId })) && (await db.User.findByPk(userId));
    if (!user) throw new Problem('not_found');
    const { factors } = user;
    await db.Factor.destroy({ where: { userId } });
    await db.RecoveryCode.destroy({ where: { userId } });
    if (factors === 0) return 0;
    await db.User.update({ factors: 0 }, { where: { id: userId } });
    await lowerSessions(ctx, userId);
    await voidPending(ctx, userId);
    events.emit('factors.reset', { userId, factors });
    await notifyOwner(ctx, user, factorsResetMail(noticeFor(ctx, user)));
    return factors;
  });
