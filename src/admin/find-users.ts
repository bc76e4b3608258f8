import { Op } from 'sequelize';
import { NOBODY } from '#models/user';
import { SEARCHED_USERS, type UserFilter, type UserSort } from '#src/admin/user-query';
import type { Context } from '#src/context';
import { boundDate } from '#src/platform/database/bound-date';
import { fold } from '#src/platform/text';
import { timeOf, type Time } from '#src/users/user-rows';
import { loadRoles } from '#src/users/with-roles';

/** Where a user stands in an order. `createdAt`: RFC 3339, or empty where the order does not ask for it. */
export interface Place {
  id: string;
  createdAt: string;
}
interface Found {
  /** In the order that was asked for. */
  ids: string[];
  /** Where the next page goes on. Null if everybody was looked at. */
  next: Place | null;
}
interface Asked extends UserFilter {
  limit: number;
  sort: UserSort;
  after: Place | undefined;
}
interface Row {
  id: string;
  created_at?: Time;
}

/** A name is somebody's username and somebody's address at most. */
const MOST_NAMED = 2;
/** The largest page of the API. Texts are constant up to it, so that they can be prepared once. */
const USUAL_LIMIT = 100;

const isDescending = (sort: UserSort) => sort.startsWith('-');
const isByTime = (sort: UserSort) => sort.endsWith('created');

/** Before the first user of an order. */
const startOf = (sort: UserSort): Place =>
  isDescending(sort)
    ? { id: '~', createdAt: '9999-12-31T00:00:00.000Z' }
    : { id: '', createdAt: '1000-01-01T00:00:00.000Z' };

/**
 * The users of one page, along an index. For what no index finds, a page reads SEARCHED_USERS users at most. So it may be
 * empty although there is a next page. A user whose whole username or address is `q` comes first, on the first page.
 */
export async function findUsers(ctx: Context, asked: Asked): Promise<Found> {
  const { limit, sort, after = startOf(sort), q, role, disabled, verified } = asked;
  const { db } = ctx;
  const isFirst = asked.after === undefined;
  const roleId = role && ((await db.Role.findOne({ where: { name: role } }))?.id ?? NOBODY);
  const isFiltered = [q, disabled, verified].some((each) => each !== undefined);
  const isSearch = isFiltered || (roleId !== undefined && isByTime(sort));
  const most = Math.max(limit, USUAL_LIMIT) + MOST_NAMED + 1;
  const [part, bind] = partOf(ctx, sort, after, isByTime(sort) ? undefined : roleId);
  const exact = q === undefined ? [] : await namedExactly(ctx, { ...asked, q });
  const rows = await (isSearch
    ? search(ctx, `(${part} LIMIT ${SEARCHED_USERS})`, bind, { ...asked, roleId, most })
    : db.select<Row>(`${part} LIMIT ${most}`, bind));
  const others = rows.filter(({ id }) => !exact.includes(id));
  const first = isFirst ? exact.slice(0, limit) : [];
  const shown = others.slice(0, limit - first.length);
  const ids = [...first, ...shown.map(({ id }) => id)];
  const isMore = others.length > shown.length || rows.length === most;
  if (isMore) return { ids, next: shown.length > 0 ? placeOf(shown.at(-1)!) : after };
  return { ids, next: isSearch ? await endOf(ctx, part, bind) : null };
}

const placeOf = ({ id, created_at: createdAt }: Row): Place => ({
  id,
  createdAt: createdAt === undefined ? '' : timeOf(createdAt)!.toISOString(),
});

/** Users behind a place, in their order, along an index that has all that is read. With `roleId`, those who have the role. */
function partOf(
  { db }: Context,
  sort: UserSort,
  { id, createdAt }: Place,
  roleId: string | undefined,
): [sql: string, bind: string[]] {
  const [than, direction] = isDescending(sort) ? ['<', ' DESC'] : ['>', ''];
  if (roleId !== undefined)
    return [
      `SELECT user_id AS id FROM user_roles WHERE role_id = $1 AND user_id ${than} $2 ORDER BY user_id${direction}`,
      [roleId, id],
    ];
  if (!isByTime(sort))
    return [`SELECT id FROM users WHERE id ${than} $1 ORDER BY id${direction}`, [id]];
  const time = boundDate(db.sequelize, new Date(createdAt));
  const order = `ORDER BY created_at${direction}, id${direction}`;
  const select = 'SELECT id, created_at FROM users WHERE';
  // Each engine sees a range of the index in one of these two only.
  return db.sequelize.getDialect() === 'sqlite'
    ? [`${select} (created_at, id) ${than} ($1, $2) ${order}`, [time, id]]
    : [
        `${select} (created_at ${than} $1 OR (created_at = $2 AND id ${than} $3)) ${order}`,
        [time, time, id],
      ];
}

interface Search extends Asked {
  roleId: string | undefined;
  most: number;
}

/** Those of a part for whom the filters hold. The text is the same for all of them. */
function search(
  { db }: Context,
  part: string,
  bind: readonly string[],
  { sort, q = '', disabled, verified, roleId = '', most }: Search,
): Promise<Row[]> {
  const values = [...bind];
  const value = (text: string) => `$${values.push(text)}`;
  const wanted = (truth: boolean | undefined) => (truth === undefined ? '' : truth ? 'yes' : 'no');
  const is = (column: string, truth: boolean | undefined) =>
    `(${value(wanted(truth))} = '' OR (u.${column} IS NOT NULL) = (${value(wanted(truth))} = 'yes'))`;
  const name = fold(q);
  const conditions = [
    // instr, not LIKE: on every engine, `%` and `_` in `q` mean themselves.
    `(${value(name)} = '' OR instr(u.username_canonical, ${value(name)}) > 0 OR instr(u.email_canonical, ${value(name)}) > 0)`,
    is('disabled_at', disabled),
    is('email_verified_at', verified),
    `(${value(roleId)} = '' OR EXISTS (SELECT 1 FROM user_roles ur WHERE ur.user_id = u.id AND ur.role_id = ${value(roleId)}))`,
  ];
  const direction = isDescending(sort) ? ' DESC' : '';
  const columns = isByTime(sort) ? ['created_at', 'id'] : ['id'];
  const selected = columns.map((column) => `part.${column}`).join(', ');
  const order = columns.map((column) => `part.${column}${direction}`).join(', ');
  return db.select<Row>(
    `SELECT ${selected} FROM ${part} part LEFT JOIN users u ON u.id = part.id WHERE ${conditions.join(' AND ')} ORDER BY ${order} LIMIT ${most}`,
    values,
  );
}

/** The last of those that one page looks at, if there are so many. */
async function endOf(
  { db }: Context,
  part: string,
  bind: readonly string[],
): Promise<Place | null> {
  const [last] = await db.select<Row>(`${part} LIMIT 1 OFFSET ${SEARCHED_USERS - 1}`, bind);
  return last ? placeOf(last) : null;
}

async function namedExactly(
  { db }: Context,
  { q, role, disabled, verified }: UserFilter & { q: string },
): Promise<string[]> {
  const name = fold(q);
  const users = await db.User.findAll({
    where: { [Op.or]: [{ usernameCanonical: name }, { emailCanonical: name }] },
    order: ['id'],
  });
  return (await loadRoles(db, users))
    .filter((user) => role === undefined || user.roleNames.includes(role))
    .filter((user) => disabled === undefined || (user.disabledAt !== null) === disabled)
    .filter((user) => verified === undefined || (user.emailVerifiedAt !== null) === verified)
    .map(({ id }) => id);
}
