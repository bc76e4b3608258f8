import { Role, transaction, User } from '#models/index';
import { Problem } from '#src/core/problem';

const activeAdmins = () => User.count({ where: { disabledAt: null }, include: [{ association: 'roles', where: { name: 'admin' } }] });

/**
 * Runs a change that may cost somebody the role `admin`, and undoes it if no active admin would be left. Such changes
 * take turns, on every node: two admins who demote each other at once cannot both succeed. Throws 409 `last_admin`.
 */
export const keepAnAdmin = <T>(change: () => Promise<T>): Promise<T> =>
  transaction(async () => {
    await Role.findOne({ where: { name: 'admin' }, lock: true });
    const before = await activeAdmins();
    const result = await change();
    if (before > 0 && (await activeAdmins()) === 0) throw new Problem('last_admin');
    return result;
  });
