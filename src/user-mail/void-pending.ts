import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { voidTokens } from '#src/one-time-tokens/one-time-tokens';
import { END_SESSION, RESTORE } from '#src/user-mail/mail-tokens';

/**
 * Voids every proof that a user has given or was sent, and that was not used yet: mailed links and
 * codes, a change of address that waits, codes of a redirect, and a password or second factor that
 * was just asked again. Whatever changes who a user is or what they may do calls this in its transaction: what was
 * proved before the change must not count after it. The links that undo a change of address and end
 * a session that the owner did not start stay valid: they are the owner's way back.
 */
export async function voidPending(ctx: Context, userId: string): Promise<void> {
  const { Session } = ctx.db;
  await voidSent(ctx, userId);
  const where = { userId, endedAt: null, authenticatedAt: { [Op.ne]: null } };
  const attributes = ['id', 'aal2At', 'createdAt'];
  // One by one: a lock on more than one row could deadlock with requests that refresh.
  for (const { id, aal2At, createdAt } of await Session.findAll({ attributes, where })) {
    const before = aal2At && new Date(Math.min(aal2At.getTime(), createdAt.getTime()));
    await Session.update({ authenticatedAt: null, aal2At: before }, { where: { id } });
  }
}

/** What was sent, or waits for an answer. */
const voidSent = (ctx: Context, userId: string) =>
  voidTokens(ctx, userId, { except: [RESTORE, END_SESSION] });

/**
 * The same for everybody who has a role that allows more from now on: an older link must not open what it was not sent
 * for. It costs as much as there are tokens, however many have the role. Their sessions stay as they are.
 */
export async function voidSentToHolders(ctx: Context, roleId: string): Promise<void> {
  const holders = await ctx.db.select<{ id: string }>(WITH_TOKENS, [roleId]);
  for (const { id } of holders) await voidSent(ctx, id);
}

const WITH_TOKENS =
  "SELECT DISTINCT t.user_id AS id FROM one_time_tokens t WHERE t.user_id > '' AND EXISTS (SELECT 1 FROM user_roles ur WHERE ur.user_id = t.user_id AND ur.role_id = $1)";
