import { Op } from 'sequelize';
import type { Db } from '#models/index';
import type { IdPage } from '#src/admin/list-users';
import { pageOf } from '#src/platform/http/listing';
import { fold } from '#src/platform/text';

/** No index finds a part of a name. So one page looks at so many users at most, and the next one goes on behind them. */
export const SEARCHED_USERS = 10_000;
/** One more than the largest page. It is constant, so that the statement can be prepared once. */
const MOST_FOUND = 101;

interface Search {
  limit: number;
  cursor: string;
  q: string;
  roleId: string | undefined;
}

// Of the users in their order, those that one page looks at.
const ALL = `SELECT u.id, u.username_canonical, u.email_canonical FROM users u
  WHERE u.id > $1 ORDER BY u.id LIMIT ${SEARCHED_USERS}`;
const WITH_ROLE = `SELECT ur.user_id AS id, u.username_canonical, u.email_canonical
  FROM user_roles ur JOIN users u ON u.id = ur.user_id
  WHERE ur.role_id = $1 AND ur.user_id > $2 ORDER BY ur.user_id LIMIT ${SEARCHED_USERS}`;

/**
 * The users whose username or address contains `q`, in the order of their ids, and the cursor of the next page. A user
 * whose whole username or address is `q` comes first, on the first page. A page reads SEARCHED_USERS users at most. So it
 * may be empty although there is a next page.
 */
export async function searchUsers(db: Db, { limit, cursor, q, roleId }: Search): Promise<IdPage> {
  const part = fold(q);
  const exact = await namedExactly(db, part, roleId);
  const [looked, bind] = roleId === undefined ? [ALL, [cursor]] : [WITH_ROLE, [roleId, cursor]];
  // instr, not LIKE: on every engine, `%` and `_` in `q` mean themselves.
  const [a, b] = [bind.length + 1, bind.length + 2];
  const found = await db.select<{ id: string }>(
    `SELECT id FROM (${looked}) looked WHERE instr(username_canonical, $${a}) > 0 OR instr(email_canonical, $${b}) > 0 ORDER BY id LIMIT ${MOST_FOUND}`,
    [...bind, part, part],
  );
  const first = cursor === '' ? exact : [];
  const others = found.filter(({ id }) => !exact.some((each) => each.id === id));
  const { data, nextCursor } = pageOf(others, limit - first.length);
  return { data: [...first, ...data], nextCursor: nextCursor ?? (await end(db, looked, bind)) };
}

/** Where the next page goes on. Null if everybody was looked at. */
async function end(db: Db, looked: string, bind: readonly string[]): Promise<string | null> {
  const [row] = await db.select<{ last: string | null; users: number }>(
    `SELECT MAX(id) AS last, COUNT(*) AS users FROM (${looked}) looked`,
    bind,
  );
  return row!.users < SEARCHED_USERS ? null : row!.last;
}

async function namedExactly(db: Db, name: string, roleId: string | undefined) {
  const isNamed = { [Op.or]: [{ usernameCanonical: name }, { emailCanonical: name }] };
  const users = await db.User.findAll({ attributes: ['id'], where: isNamed, order: ['id'] });
  if (roleId === undefined || users.length === 0) return users;
  const links = await db.UserRole.findAll({ where: { roleId, userId: users.map(({ id }) => id) } });
  return users.filter(({ id }) => links.some(({ userId }) => userId === id));
}
