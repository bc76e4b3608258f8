import { Op } from 'sequelize';
import type { User } from '#models/index';
import type { Context } from '#src/context';
import { voidTokens } from '#src/one-time-tokens/one-time-tokens';
import { Problem } from '#src/platform/http/problem';
import { deleteIdentities } from '#src/provider-grants/provider-grants';
import { endSessions } from '#src/sessions/end-sessions';

/**
 * Gives a user whose address was never confirmed to the owner of the address. A stranger may have
 * made the user before, so this deletes every credential set until now: password, identities, API
 * keys, one-time tokens, sessions; and replaces the name. The username stays. It opens nothing by
 * itself, its owner may have signed up with their own address, and it can be changed. An
 * authenticator app stays: it opens nothing by itself. A passkey would, so it goes. A user with
 * more roles than `user` is never given away for an address. Call it with the turn of the user.
 * @param by the strategy that proved whose address it is
 * @throws {Problem} 409 `already_linked`
 */
export async function takeOver(
  ctx: Context,
  user: User,
  by: { provider: string; name: string | null },
): Promise<void> {
  const { db, clock, events } = ctx;
  if (user.isMoreThanUser) throw new Problem('already_linked');
  const userId = user.id;
  await user.update({ passwordHash: null, emailVerifiedAt: clock.date(), name: by.name });
  await deleteIdentities(ctx, { userId });
  await db.ApiKey.destroy({ where: { userId } });
  await removePasskeys(ctx, user);
  await voidTokens(ctx, userId);
  await endSessions(ctx, { userId }, 'taken_over');
  events.emit('user.taken_over', { userId, provider: by.provider });
}

async function removePasskeys({ db }: Context, user: User): Promise<void> {
  const userId = user.id;
  if ((await db.Factor.destroy({ where: { userId, kind: 'passkey' } })) === 0) return;
  const factors = await db.Factor.count({ where: { userId, confirmedAt: { [Op.ne]: null } } });
  if (factors === 0) await db.RecoveryCode.destroy({ where: { userId } });
  await user.update({ factors });
}
