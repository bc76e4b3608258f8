import { Op } from 'sequelize';
import type { Db, User } from '#models/index';
import type { Context } from '#src/context';
import { searchUsers } from '#src/admin/search-users';
import { pageOf, type Page } from '#src/platform/http/listing';

interface UserQuery extends Page {
  /** Part of a username or address. Every character means itself. */
  q?: string | undefined;
  role?: string | undefined;
}
export interface UserPage {
  data: User[];
  nextCursor: string | null;
}
/** Ids of the users of a page, in its order. */
export interface IdPage {
  data: { id: string }[];
  nextCursor: string | null;
}

/**
 * One page of users, loaded with roles, in the order of their ids. A page of a search may have less than `limit` users,
 * even none, although there are more: see `searchUsers`.
 */
export async function listUsers(
  { db }: Context,
  { limit, cursor = '', q, role }: UserQuery,
): Promise<UserPage> {
  const roleId = role && ((await db.Role.findOne({ where: { name: role } }))?.id ?? '');
  const { data, nextCursor } = q
    ? await searchUsers(db, { limit, cursor, q, roleId })
    : pageOf(await idsAfter(db, cursor, limit + 1, roleId), limit);
  const ids = data.map(({ id }) => id);
  const users = await db.User.findAll({ where: { id: ids }, include: ['roles'] });
  const byId = new Map(users.map((user) => [user.id, user]));
  return { data: ids.flatMap((id) => byId.get(id) ?? []), nextCursor };
}

/** Along an index. A join with the role by its name would sort everybody who has it. */
async function idsAfter(db: Db, cursor: string, limit: number, roleId: string | undefined) {
  const after = { [Op.gt]: cursor };
  if (roleId === undefined)
    return db.User.findAll({ attributes: ['id'], where: { id: after }, order: ['id'], limit });
  const where = { roleId, userId: after };
  const links = await db.UserRole.findAll({ where, order: ['userId'], limit });
  return links.map(({ userId }) => ({ id: userId }));
}
