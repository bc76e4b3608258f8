import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { endActing } from '#src/sessions/end-sessions';
import { mayImpersonate } from '#src/users/impersonation';
import { permissionsOf } from '#src/users/principal';
import { findWithRoles } from '#src/users/with-roles';

/**
 * Ends the sessions in which somebody acts for a user, and may not any more with the roles that both have now. Each request
 * in such a session asks the same; this ends it without one. Few live at any moment: they last an hour at most.
 */
export async function endLostImpersonations(ctx: Context): Promise<void> {
  const { Session } = ctx.db;
  const found = await Session.findAll({
    attributes: ['id', 'userId', 'actorId'],
    where: { actorId: { [Op.gt]: '' }, ...Session.live(ctx.clock.date()) },
  });
  for (const { id, userId, actorId } of found) {
    const [held, theirs] = [await permissionsNow(ctx, actorId!), await permissionsNow(ctx, userId)];
    if (!mayImpersonate(held, theirs)) await endActing(ctx, { id });
  }
}

async function permissionsNow({ db }: Context, id: string): Promise<string[]> {
  const user = await findWithRoles(db, { id });
  return permissionsOf(user?.roles ?? []);
}
