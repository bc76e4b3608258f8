import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { methodsIn, methodsOf } from '#src/users/assurance';

/**
 * Makes the live sessions of a user `aal1`, for one who has no second factor any more: two factors that were proved with
 * it must not open what two factors open. Call it with the turn of the user.
 */
export async function lowerSessions({ db }: Context, userId: string): Promise<void> {
  const attributes = ['id', 'amr'];
  const where = { userId, endedAt: null, aal2At: { [Op.ne]: null } };
  // One by one: a lock on more than one row could deadlock with requests that refresh.
  for (const { id, amr } of await db.Session.findAll({ attributes, where })) {
    const left = methodsIn(amr).filter((method) => method !== 'mfa');
    await db.Session.update({ aal2At: null, amr: methodsOf(left) }, { where: { id } });
  }
}
