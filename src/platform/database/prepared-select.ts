import { DatabaseError, type Sequelize } from 'sequelize';

/** The part of mysql2's callback connection that is used here. */
interface Connection {
  execute(
    sql: string,
    values: readonly string[],
    done: (error: Error | null, rows: unknown) => void,
  ): void;
}
/** What Sequelize has and does not declare. */
interface Undeclared {
  connectionManager: {
    getConnection(options: { type: 'SELECT' }): Promise<Connection>;
    releaseConnection(connection: Connection): void;
  };
  log(line: string): void;
  runHooks(name: 'beforeQuery' | 'afterQuery', options: object, query: object): Promise<void>;
}

/**
 * A SELECT of a database server, prepared, on a connection of Sequelize's pool, outside of transactions. It does what
 * `query` does for an app (its logging and its hooks for queries, its errors) without what that costs: for a statement
 * by primary key, `query` takes longer than the database.
 */
export async function preparedSelect<Row extends object>(
  sequelize: Sequelize,
  sql: string,
  bind: readonly string[],
): Promise<Row[]> {
  const undeclared = sequelize as unknown as Undeclared;
  const { connectionManager } = undeclared;
  const options = { type: 'SELECT' } as const;
  const connection = await connectionManager.getConnection(options);
  const query = { sql: sql.replaceAll(/\$\d+/g, '?'), bind, connection };
  try {
    await undeclared.runHooks('beforeQuery', options, query);
    undeclared.log(`Executing (default): ${query.sql}`);
    return await new Promise<Row[]>((resolve, reject) => {
      connection.execute(query.sql, bind, (error, rows) =>
        error ? reject(new DatabaseError(Object.assign(error, { sql }))) : resolve(rows as Row[]),
      );
    });
  } finally {
    await undeclared.runHooks('afterQuery', options, query);
    connectionManager.releaseConnection(connection);
  }
}
