import { Op } from 'sequelize';
import { v7 as uuid } from 'uuid';
import type { AuditEntry } from '#models/index';
import type { AuditFilter } from '#src/audit/query';
import type { Context } from '#src/context';

/** Of two filters, the index finds one. So many entries are looked at for the others. */
const SEARCHED = 10_000;
const ORDER = { newest: ['<', 'DESC'], oldest: ['>', 'ASC'] } as const;
export type Order = keyof typeof ORDER;

export interface Found {
  rows: AuditEntry[];
  /** The id behind which the next page goes on. Null if everything was looked at. */
  next: string | null;
}

/** Where an order goes on: behind this id. */
interface Page {
  order: Order;
  limit: number;
  behind?: string | undefined;
}

/** The smallest id of this time and later. Ids know no time before 1970, and nothing happened then. */
const idAt = (time: Date): string =>
  uuid({ msecs: Math.max(0, time.getTime()), seq: 0, random: new Uint8Array(16) });
const [FIRST, LAST] = ['', '~'] as const;

/**
 * Entries in the order of time, along an index. For what no index finds, a page reads 10,000 entries at most: it may be
 * empty although there is a next one.
 */
export async function findEntries(ctx: Context, filter: AuditFilter, page: Page): Promise<Found> {
  const { limit, order } = page;
  const { sql, bind, others } = partOf(filter, page);
  const most = limit + 1;
  const ids = async (text: string, values: readonly string[]) =>
    (await ctx.db.select<{ id: string }>(text, values)).map(({ id }) => id);
  if (others.length === 0) {
    const found = await ids(`${sql} LIMIT ${most}`, bind);
    return pageOf(ctx, order, found, limit);
  }
  const values = [...bind];
  const wanted = others.map(([column, value]) => `part.${column} = $${values.push(value)}`);
  const part = `(${sql} LIMIT ${SEARCHED}) part`;
  const [, direction] = ORDER[order];
  const text = `SELECT part.id FROM ${part} WHERE ${wanted.join(' AND ')} ORDER BY part.id ${direction} LIMIT ${most}`;
  const found = await pageOf(ctx, order, await ids(text, values), limit);
  if (found.next !== null) return found;
  const [last = null] = await ids(`${sql} LIMIT 1 OFFSET ${SEARCHED - 1}`, bind);
  return { ...found, next: last };
}

/** The entries of one index, and the filters that it does not know. Text is constant for each set of filters. */
function partOf({ subject, actor, type, after, before }: AuditFilter, { order, behind }: Page) {
  const filters = Object.entries({ subject, actor, type }).flatMap(([column, value]) =>
    value === undefined ? [] : [[column, value] as const],
  );
  const [first, ...others] = filters;
  const from = after ? idAt(after) : FIRST;
  const to = before ? idAt(before) : LAST;
  const [than, direction] = ORDER[order];
  const bind = [from, to, behind ?? (order === 'newest' ? LAST : FIRST)];
  const where = `id >= $1 AND id < $2 AND id ${than} $3`;
  const of = first ? ` AND ${first[0]} = $${bind.push(first[1])}` : '';
  const columns = ['id', ...others.map(([column]) => column)].join(', ');
  const sql = `SELECT ${columns} FROM audit_entries WHERE ${where}${of} ORDER BY id ${direction}`;
  return { sql, bind, others };
}

async function pageOf(
  { db }: Context,
  order: Order,
  found: readonly string[],
  limit: number,
): Promise<Found> {
  const ids = found.slice(0, limit);
  const rows = await db.AuditEntry.findAll({
    where: { id: { [Op.in]: ids } },
    order: [['id', ORDER[order][1]]],
  });
  return { rows, next: found.length > limit ? ids.at(-1)! : null };
}
