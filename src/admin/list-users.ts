import { col, fn, Op, where, type WhereOptions } from 'sequelize';
import type { User } from '#models/index';
import type { Context } from '#src/context';
import { pageOf, type Page } from '#src/platform/http/listing';
import { fold } from '#src/platform/text';

interface UserQuery extends Page {
  /** Part of a username or address. Every character means itself. */
  q?: string | undefined;
  role?: string | undefined;
}
export interface UserPage {
  data: User[];
  nextCursor: string | null;
}

/** One page of users, loaded with roles, in the order of their ids. */
export async function listUsers(
  { db }: Context,
  { limit, cursor, q, role }: UserQuery,
): Promise<UserPage> {
  const found = await db.User.findAll({
    attributes: ['id'],
    where: { [Op.and]: [...after(cursor), ...naming(q)] },
    ...having(role),
    order: ['id'],
    limit: limit + 1,
    subQuery: false,
  });
  const { data, nextCursor } = pageOf(found, limit);
  const ids = data.map(({ id }) => id);
  const users = await db.User.findAll({ where: { id: ids }, include: ['roles'], order: ['id'] });
  return { data: users, nextCursor };
}

const after = (cursor: string | undefined): WhereOptions[] =>
  cursor ? [{ id: { [Op.gt]: cursor } }] : [];

const having = (role: string | undefined) => {
  if (!role) return {};
  const through = { attributes: [] };
  return { include: [{ association: 'roles', attributes: [], through, where: { name: role } }] };
};

// instr, not LIKE: on every engine, `%` and `_` in `q` mean themselves.
function naming(q: string | undefined): WhereOptions[] {
  if (!q) return [];
  const part = fold(q);
  const columns = ['username_canonical', 'email_canonical'];
  const contains = (column: string) => where(fn('instr', col(`User.${column}`), part), Op.gt, 0);
  return [{ [Op.or]: columns.map(contains) }];
}
