import { DataTypes, type QueryInterface } from 'sequelize';
import { addColumn, dropColumn } from '#migrations/steps';

const TABLES = ['users', 'roles', 'sessions', 'sign_ups'];

async function up(schema: QueryInterface): Promise<void> {
  for (const table of TABLES)
    await addColumn(schema, table, 'turn', {
      type: DataTypes.BIGINT,
      allowNull: false,
      defaultValue: 0,
    });
}

async function down(schema: QueryInterface): Promise<void> {
  for (const table of TABLES) await dropColumn(schema, table, 'turn');
}

/** A column that is written by those who must take turns, on every node of a cluster. */
export const turns = { up, down };
