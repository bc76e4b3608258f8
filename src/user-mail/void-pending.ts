import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { voidTokens } from '#src/one-time-tokens/one-time-tokens';
import { RESTORE } from '#src/user-mail/mail-tokens';

/**
 * Voids every proof that a user has given or was sent, and that was not used yet: mailed links and
 * codes, a change of address that waits, codes of a redirect, and a password or second factor that
 * was just asked again. Whatever changes who a user is or what they may do calls this in its transaction: what was
 * proved before the change must not count after it. The link that undoes a change of address stays
 * valid: it is the owner's way back.
 */
export async function voidPending(ctx: Context, userId: string): Promise<void> {
  const { Session } = ctx.db;
  await voidTokens(ctx, userId, { except: [RESTORE] });
  const where = { userId, endedAt: null, authenticatedAt: { [Op.ne]: null } };
  const attributes = ['id', 'aal2At', 'createdAt'];
  // One by one: a lock on more than one row could deadlock with requests that refresh.
  for (const { id, aal2At, createdAt } of await Session.findAll({ attributes, where })) {
    const before = aal2At && new Date(Math.min(aal2At.getTime(), createdAt.getTime()));
    await Session.update({ authenticatedAt: null, aal2At: before }, { where: { id } });
  }
}
