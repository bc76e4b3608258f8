import type { Sequelize } from 'sequelize';
import { QueryTypes } from 'sequelize';
import { eventually } from '#test/support/eventually';

/**
 * Waits until the database server has begun a statement that is like this, and that something holds up. With SQLite nothing
 * is to wait for: there a transaction waits before its first statement.
 */
export const underWay = (sequelize: Sequelize, like: string): Promise<void> =>
  sequelize.getDialect() === 'sqlite'
    ? Promise.resolve()
    : eventually(async () => {
        const rows = await sequelize.query(
          'SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND info LIKE $1',
          { bind: [like], type: QueryTypes.SELECT },
        );
        if (rows.length === 0) throw new Error(`No statement is like ${like}`);
      });

/** Runs `change`, and keeps its transaction open until `meanwhile` has run. */
export async function heldOpen(
  db: { transaction: (work: () => Promise<unknown>) => Promise<unknown> },
  change: () => Promise<unknown>,
  meanwhile: () => Promise<unknown>,
): Promise<void> {
  const [changed, end] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const held = db.transaction(async () => {
    await change();
    changed.resolve();
    await end.promise;
  });
  await Promise.race([changed.promise, held]);
  await meanwhile().finally(() => end.resolve());
  await held;
}
