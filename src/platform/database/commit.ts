import type { Sequelize, Transaction } from 'sequelize';

/** What Sequelize has and does not declare. */
interface Undeclared {
  finished?: string;
  _afterCommitHooks: ((transaction: Transaction) => unknown)[];
  cleanup(): void;
}

/**
 * Commits a transaction. Sequelize's own `commit` prints a warning and closes the connection when the database refuses,
 * and calls `afterCommit` all the same. On a cluster a COMMIT is refused whenever there was a conflict with another
 * node, and the connection is as good as before.
 */
export async function commit(sequelize: Sequelize, transaction: Transaction): Promise<void> {
  const undeclared = transaction as unknown as Undeclared;
  if (undeclared.finished) return transaction.commit(); // it says which mistake that is
  try {
    const completes = { completesTransaction: true } as object;
    await sequelize.query('COMMIT;', { transaction, ...completes });
  } catch (error) {
    // Sequelize has done so after a deadlock. A connection that cannot even do this is closed.
    if (!undeclared.finished) await transaction.rollback().catch(() => {});
    throw error;
  }
  undeclared.finished = 'commit';
  undeclared.cleanup();
  for (const hook of undeclared._afterCommitHooks) await hook(transaction);
}
