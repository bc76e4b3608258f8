import type { User } from '#models/index';
import { findUsers, type Place } from '#src/admin/find-users';
import type { UserFilter, UserSort } from '#src/admin/user-query';
import type { Context } from '#src/context';
import { openCursor, sealCursor, type ListName } from '#src/platform/http/cursor';
import { loadRoles } from '#src/users/with-roles';

export interface AskedPage extends UserFilter {
  /** How many at most. */
  limit: number;
  /** `nextCursor` of the page before, of the same list. */
  cursor?: string | undefined;
  /** Default: `id`, the order in which they came. */
  sort?: UserSort | undefined;
}
export interface UserPage {
  data: User[];
  nextCursor: string | null;
}

/**
 * One page of users, loaded with roles. A page by `q`, `disabled` or `verified` may have less than `limit` users, even
 * none, although there are more: see `findUsers`.
 * @throws {Problem} 400 `invalid_request` for a cursor of another list, order or filter
 */
export async function listUsers(
  ctx: Context,
  { limit, cursor, sort = 'id', ...filter }: AskedPage,
): Promise<UserPage> {
  const { q, role, disabled, verified } = filter;
  const list: ListName = ['users', sort, q, role, disabled, verified];
  const after = cursor === undefined ? undefined : placeOf(openCursor(ctx, list, cursor));
  const { ids, next } = await findUsers(ctx, { limit, sort, after, ...filter });
  const users = await loadRoles(ctx.db, await ctx.db.User.findAll({ where: { id: ids } }));
  const byId = new Map(users.map((user) => [user.id, user]));
  const data = ids.flatMap((id) => byId.get(id) ?? []);
  return { data, nextCursor: next && sealCursor(ctx, list, [next.id, next.createdAt]) };
}

const placeOf = ([id, createdAt]: string[]): Place => ({ id: id!, createdAt: createdAt! });
