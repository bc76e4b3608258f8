import { QueryTypes, type ModelAttributeColumnOptions, type QueryInterface } from 'sequelize';

// MySQL cannot undo a half-made schema: each step does nothing where it was done before a crash.

export async function addIndex(
  schema: QueryInterface,
  table: string,
  fields: string[],
  unique = false,
): Promise<void> {
  const name = [table, ...fields].join('_');
  if (!(await hasIndex(schema, table, name)))
    await schema.addIndex(table, { fields, unique, name });
}

export async function dropIndex(
  schema: QueryInterface,
  table: string,
  fields: string[],
): Promise<void> {
  const name = [table, ...fields].join('_');
  if (await hasIndex(schema, table, name)) await schema.removeIndex(table, name);
}

export async function addColumn(
  schema: QueryInterface,
  table: string,
  name: string,
  column: ModelAttributeColumnOptions,
): Promise<void> {
  if (!(name in (await schema.describeTable(table)))) await schema.addColumn(table, name, column);
}

/** Written out: Sequelize's own way on SQLite copies the table and forgets what refers to it. */
export async function dropColumn(
  schema: QueryInterface,
  table: string,
  name: string,
): Promise<void> {
  if (name in (await schema.describeTable(table)))
    await schema.sequelize.query(`ALTER TABLE ${table} DROP COLUMN ${name}`);
}

const hasIndex = async (schema: QueryInterface, table: string, name: string) =>
  ((await schema.showIndex(table)) as { name: string }[]).some((index) => index.name === name);

/**
 * Table options that make the server compare text byte for byte. Its default takes `admin`, `ADMIN`, `admín` and
 * `admin ` for one name, and SQLite for four; here the code alone decides which names are equal.
 */
export async function exactText({ sequelize }: QueryInterface) {
  if (sequelize.getDialect() === 'sqlite') return {};
  const [row] = await sequelize.query<{ version: string }>('SELECT VERSION() AS version', {
    type: QueryTypes.SELECT,
  });
  return {
    charset: 'utf8mb4',
    collate: /mariadb/i.test(row?.version ?? '') ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin',
  };
}
