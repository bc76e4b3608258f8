import { z } from 'zod';
import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';

/** The id of a user, as these front ends get it. */
export const Id = z.union([z.uuid(), z.int()]);
type ShownId = string | number;

/** What the import makes of a number: the number is at its end. */
const IMPORTED = /^00000000-0000-8000-800[\da-f]-(\d{12})$/;
/** Users who did not come from a tutorial get numbers above those of its table, in 31 bits: Kotlin's Int has no more. */
const FIRST = 1_000_000_000;

/**
 * The ids that are shown for users, by their ids here. With DIALECT_NUMERIC_IDS they are numbers: of an imported user the
 * one in the table of the tutorial, of others the next one, which they keep.
 */
export async function shownIds(
  ctx: Context,
  ids: readonly string[],
): Promise<Map<string, ShownId>> {
  if (ctx.settings.dialectNumericIds === 'off') return new Map(ids.map((id) => [id, id]));
  const { UserNumber } = ctx.db;
  const others = ids.filter((userId) => !IMPORTED.test(userId));
  const find = () => UserNumber.findAll({ where: { userId: others } });
  let rows = others.length > 0 ? await find() : [];
  if (rows.length < others.length) {
    const known = new Set(rows.map(({ userId }) => userId));
    const missing = others.filter((id) => !known.has(id)).map((userId) => ({ userId }));
    // Another request may do the same: then it has given the numbers.
    await UserNumber.bulkCreate(missing, { ignoreDuplicates: true });
    rows = await find();
  }
  const imported = ids.flatMap((id) => {
    const number = IMPORTED.exec(id)?.[1];
    return number === undefined ? [] : [[id, Number(number)] as const];
  });
  return new Map([...imported, ...rows.map(({ userId, id }) => [userId, FIRST + id] as const)]);
}

/** @throws {Problem} 401 `session_ended` if the user was deleted meanwhile */
export async function shownId(ctx: Context, id: string): Promise<ShownId> {
  const shown = (await shownIds(ctx, [id])).get(id);
  if (shown === undefined) throw new Problem('session_ended');
  return shown;
}
