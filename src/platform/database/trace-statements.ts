import type { TransactionalSequelize } from '#src/platform/database/transactional-sequelize';
import type { Traces } from '#src/platform/traces';

type Query = (sql: string | { query: string }, options?: object) => Promise<unknown>;

/** Makes a span of each statement that is sent for a traced request. */
export function traceStatements(sequelize: TransactionalSequelize, traces: Traces): void {
  const system = sequelize.getDialect() === 'sqlite' ? 'sqlite' : 'mysql';
  const query = sequelize.query.bind(sequelize) as Query;
  const select = sequelize.select.bind(sequelize);
  const traced: Query = (sql, options) =>
    traces.statement(system, typeof sql === 'string' ? sql : sql.query, () => query(sql, options));
  Object.assign(sequelize, {
    query: traced,
    // Elsewhere it calls `query`.
    select: <Row extends object>(sql: string, bind: readonly string[]) =>
      system === 'sqlite' || sequelize.isInTransaction()
        ? select<Row>(sql, bind)
        : traces.statement(system, sql, () => select<Row>(sql, bind)),
  });
}
