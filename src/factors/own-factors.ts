import { Op, type WhereOptions } from 'sequelize';
import type { Factor, User } from '#models/index';
import type { Context } from '#src/context';
import {
  factorAddedMail,
  factorRemovedMail,
  factorRenamedMail,
  recoveryCodesRenewedMail,
} from '#src/factors/mails';
import { noticeFor, notifyOwner } from '#src/factors/notices';
import { replaceRecoveryCodes } from '#src/factors/recovery-codes';
import { requireFactorLeft } from '#src/factors/required';
import { Problem } from '#src/platform/http/problem';
import { lowerSessions } from '#src/sessions/lower-sessions';
import { requireLiveSession } from '#src/sessions/require-live-session';
import { mayNotify } from '#src/user-mail/recipients';
import { voidPending } from '#src/user-mail/void-pending';
import type { Principal } from '#src/users/principal';

/** How many factors a user may have, of all kinds together. */
const MAX_FACTORS = 20;

/**
 * Runs a change of the second factors of the signed-in user, with the turn of their row. `notify`: a mail may go to them.
 * @throws {Problem} 401 `session_ended`, and what `change` throws
 */
export async function changeFactors<T>(
  ctx: Context,
  principal: Principal,
  change: (user: User, notify: boolean) => Promise<T>,
): Promise<T> {
  const before = await ctx.db.User.findByPk(principal.id);
  const notify = before !== null && (await mayNotify(ctx, before));
  return ctx.db.transaction(async () => change(await requireLiveSession(ctx, principal), notify));
}

/**
 * Counts a factor that its owner has just confirmed, and tells them. It is asked for from the next sign-in on. Answers ten
 * recovery codes with the first factor, else null. Call it in `changeFactors`.
 * @throws {Problem} 409 `conflict` if the user has too many
 */
export async function addFactor(
  ctx: Context,
  user: User,
  { id, kind }: Pick<Factor, 'id' | 'kind'>,
  notify: boolean,
): Promise<string[] | null> {
  const { id: userId, factors } = user;
  if (factors >= MAX_FACTORS) throw new Problem('conflict');
  await setCount(ctx, userId, factors + 1);
  ctx.events.emit('factor.added', { userId, factorId: id, kind });
  if (notify) await notifyOwner(ctx, user, factorAddedMail({ ...noticeFor(ctx, user), kind }));
  return factors === 0 ? replaceRecoveryCodes(ctx, userId) : null;
}

/**
 * Removes a factor, from the next request on. With the last one go the recovery codes. A sign-in that waits for a factor
 * is void.
 * @throws {Problem} 404 `not_found`; 409 `last_factor` for the last one of a user whose role requires one
 */
export const removeFactor = (ctx: Context, principal: Principal, id: string): Promise<void> =>
  changeFactors(ctx, principal, async (user, notify) => {
    const { id: userId, factors } = user;
    const factor = await ownFactor(ctx, userId, id);
    if (factor.confirmedAt) await requireFactorLeft(ctx, userId, factors - 1);
    await factor.destroy();
    if (!factor.confirmedAt) return;
    await setCount(ctx, userId, factors - 1);
    if (factors === 1) {
      await ctx.db.RecoveryCode.destroy({ where: { userId } });
      await lowerSessions(ctx, userId);
    }
    await voidPending(ctx, userId);
    const { kind } = factor;
    ctx.events.emit('factor.removed', { userId, factorId: id, kind });
    if (notify) await notifyOwner(ctx, user, factorRemovedMail({ ...noticeFor(ctx, user), kind }));
  });

/** @throws {Problem} 404 `not_found` */
export const renameFactor = (
  ctx: Context,
  principal: Principal,
  id: string,
  name: string,
): Promise<Factor> =>
  changeFactors(ctx, principal, async (user, notify) => {
    const factor = await ownFactor(ctx, user.id, id);
    if (factor.name === name || !factor.confirmedAt) return factor.update({ name });
    const { kind } = factor;
    ctx.events.emit('factor.renamed', { userId: user.id, factorId: id, kind });
    if (notify) await notifyOwner(ctx, user, factorRenamedMail({ ...noticeFor(ctx, user), kind }));
    return factor.update({ name });
  });

/**
 * Ten new recovery codes. Those before are void.
 * @throws {Problem} 409 `conflict` for a user without a factor
 */
export const renewRecoveryCodes = (ctx: Context, principal: Principal): Promise<string[]> =>
  changeFactors(ctx, principal, async (user, notify) => {
    if (user.factors === 0) throw new Problem('conflict');
    ctx.events.emit('recovery_codes.renewed', { userId: user.id });
    if (notify) await notifyOwner(ctx, user, recoveryCodesRenewedMail(noticeFor(ctx, user)));
    return replaceRecoveryCodes(ctx, user.id);
  });

/** @throws {Problem} 404 `not_found` */
async function ownFactor({ db }: Context, userId: string, id: string): Promise<Factor> {
  const factor = await db.Factor.findOne({ where: { id, userId }, include: ['passkey'] });
  if (!factor) throw new Problem('not_found');
  return factor;
}

/** Whoever calls it has the turn of the row, so nobody else counts. */
const setCount = ({ db }: Context, id: string, factors: number) =>
  db.User.update({ factors }, { where: { id } });

/** The factors of a user that count. */
export const confirmedOf = (userId: string): WhereOptions<Factor> => ({
  userId,
  confirmedAt: { [Op.ne]: null },
});
