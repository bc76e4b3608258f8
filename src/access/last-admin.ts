import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';

/**
 * Runs a change that may take the role `admin` from somebody. Undoes it if no active admin would be left. Such changes
 * run one after the other, on all nodes: two admins who demote each other at the same time cannot both succeed.
 * @throws {Problem} 409 `last_admin`
 */
export const keepAnAdmin = <T>(ctx: Context, change: () => Promise<T>): Promise<T> =>
  ctx.db.transaction(async () => {
    await ctx.db.Role.findOne({ where: { name: 'admin' }, lock: true });
    const before = await countActiveAdmins(ctx);
    const result = await change();
    if (before > 0 && (await countActiveAdmins(ctx)) === 0) throw new Problem('last_admin');
    return result;
  });

const countActiveAdmins = ({ db }: Context) =>
  db.User.count({
    where: { disabledAt: null },
    include: [{ association: 'roles', where: { name: 'admin' } }],
  });
