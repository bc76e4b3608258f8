import type { Sequelize } from 'sequelize';

/**
 * A Sequelize whose queries join the transaction they are called in by themselves: there is no `{ transaction }` to
 * forget. Sequelize has one CLS namespace a process (`Sequelize.useCLS`); here each instance has its own, and that of a
 * host app is not asked.
 */
export interface TransactionalSequelize extends Sequelize {
  /**
   * All or nothing. A call inside another one joins it. When the database undoes it because of a concurrent transaction,
   * it runs again, a few times at most: `fn` may do nothing outside the database that must not happen twice.
   */
  atomically<T>(fn: () => Promise<T>): Promise<T>;
  /** Runs `work` when the transaction around this call is committed, at once without one, and never if it is undone. */
  afterCommit(work: () => void): void;
  /**
   * Keeps an item until the transaction around this call is about to commit. Then `writeCollected` writes it, in the same
   * transaction. It is forgotten if the transaction is undone.
   * @throws {Error} without a transaction
   */
  collect(item: unknown): void;
  /** Sets what writes the items of a transaction, all in one call. Without it they are forgotten. */
  writeCollected(write: (items: readonly unknown[]) => Promise<void>): void;
  /** True in a transaction: what is read here may never be committed. */
  isInTransaction(): boolean;
  /** Rows by a prepared SELECT of constant text, as plain objects. It names `$1`, `$2`, … once each, in this order. */
  select<Row extends object>(sql: string, bind: readonly string[]): Promise<Row[]>;
  /** A number that changes with every write of this instance. Writes marked `skipCacheInvalidation` do not count. */
  writes(): number;
}
