import { defineModels, type Db } from '#models/index';
import { fileCommits } from '#src/platform/database/commits';
import { openSequelize, sqliteFileOf } from '#src/platform/database/open';
import { traceStatements } from '#src/platform/database/trace-statements';
import type { Traces } from '#src/platform/traces';

/** Opens the database of an instance and defines its models. The schema must exist: see `migrations/index`. */
export function openDatabase(url: string, traces?: Traces): Db {
  const file = sqliteFileOf(url);
  const commits = file === undefined ? undefined : fileCommits(file);
  const sequelize = openSequelize(url, commits ? { onWrite: commits.forget } : {});
  if (traces) traceStatements(sequelize, traces);
  const system = file === undefined ? 'mysql' : 'sqlite';
  const models = defineModels(sequelize);
  return {
    ...models,
    models,
    sequelize,
    transaction: (fn) => sequelize.atomically(fn),
    afterCommit: (work) => sequelize.afterCommit(work),
    collect: (item) => sequelize.collect(item),
    writeCollected: (write) => sequelize.writeCollected(write),
    traceLookUp: traces && ((sql, work) => traces.statement(system, sql, work)),
    select: (sql, bind) => sequelize.select(sql, bind),
    isInTransaction: () => sequelize.isInTransaction(),
    commits: () => commits?.count(),
    writes: () => sequelize.writes(),
    async close() {
      await sequelize.close();
      commits?.close();
    },
  };
}
