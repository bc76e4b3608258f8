import { createConnection } from 'mysql2/promise';
import type { Context } from '#src/context';

interface Connection {
  /** Of mysql2. SQLite keeps none. */
  _statements?: { size: number };
}

/** What the connections that open from now on keep prepared, in the driver and on the server. */
export function preparedBy({ db: { sequelize } }: Pick<Context, 'db'>, url: string) {
  const connections: Connection[] = [];
  sequelize.addHook('afterConnect', (connection) => {
    connections.push(connection as Connection);
  });
  return {
    connections,
    inDriver: () => Math.max(0, ...connections.map(({ _statements }) => _statements?.size ?? 0)),
    /** Of everybody on the server. */
    async onServer(): Promise<number> {
      const connection = await createConnection(url);
      const [rows] = await connection.query("SHOW GLOBAL STATUS LIKE 'Prepared_stmt_count'");
      await connection.end();
      return Number((rows as { Value: string }[])[0]!.Value);
    },
  };
}
