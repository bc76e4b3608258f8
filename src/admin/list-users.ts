import { col, fn, Op, where, type WhereOptions } from 'sequelize';
import { User } from '#models/index';
import { pageOf, type Page } from '#src/core/listing';
import { fold } from '#src/users/identifiers';

interface Asked extends Page {
  q?: string | undefined;
  role?: string | undefined;
}

/** One page of users in the order they came, with roles, and where the next one starts. `q` is looked for literally in names. */
export async function listUsers({ limit, cursor, q, role }: Asked) {
  const found = await User.findAll({
    attributes: ['id'],
    where: { [Op.and]: [...after(cursor), ...naming(q)] },
    ...having(role),
    order: ['id'],
    limit: limit + 1,
    subQuery: false,
  });
  const { data, nextCursor } = pageOf(found, limit);
  return { data: await User.findAll({ where: { id: data.map(({ id }) => id) }, include: ['roles'], order: ['id'] }), nextCursor };
}

const after = (cursor: string | undefined): WhereOptions[] => (cursor ? [{ id: { [Op.gt]: cursor } }] : []);
const having = (role: string | undefined) =>
  role ? { include: [{ association: 'roles', attributes: [], through: { attributes: [] }, where: { name: role } }] } : {};

// instr, not LIKE: `%` and `_` in the question mean themselves, the same on every engine.
function naming(q: string | undefined): WhereOptions[] {
  if (!q) return [];
  const asked = fold(q);
  return [
    { [Op.or]: ['username_canonical', 'email_canonical'].map((column) => where(fn('instr', col(`User.${column}`), asked), Op.gt, 0)) },
  ];
}
