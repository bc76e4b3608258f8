import type { Context } from '#src/context';
import { takeTurn } from '#src/platform/database/take-turn';
import { Problem } from '#src/platform/http/problem';

/**
 * Runs a change that may take the role `admin` from somebody. Undoes it if no active admin would be left. Such changes
 * run one after the other, on all nodes: two admins who demote each other at the same time cannot both succeed.
 * @throws {Problem} 409 `last_admin`
 */
export const keepAnAdmin = <T>(ctx: Context, change: () => Promise<T>): Promise<T> =>
  ctx.db.transaction(async () => {
    await takeTurn(ctx.db.Role, { name: 'admin' });
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
