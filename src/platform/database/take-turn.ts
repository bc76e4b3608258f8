import { literal, type Model, type ModelStatic, type WhereOptions } from 'sequelize';
import { skipCacheInvalidation } from '#src/platform/database/commits';

/** A table with the column `turn`. */
interface WithTurn extends Model {
  turn: number;
}

/**
 * Makes callers that are about to check something and then act on it do so one after the other: until the transaction
 * around this call ends, no other one gets the turn of this row, nor changes the row. Answers false if there is no row
 * for which `where` holds.
 *
 * It writes. A lock (`SELECT … FOR UPDATE`) binds on its own node only: on a cluster with several writers (Galera, Group
 * Replication) both callers would get it. Of two that write one row, the cluster undoes one, and `transaction` runs that
 * one again.
 */
export async function takeTurn<M extends WithTurn>(
  table: ModelStatic<M>,
  where: WhereOptions<M>,
): Promise<boolean> {
  const next = { turn: literal('turn + 1') } as object;
  const [rows] = await table.update(next, { where, silent: true, ...skipCacheInvalidation });
  return rows > 0;
}
