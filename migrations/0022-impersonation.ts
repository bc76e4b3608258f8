import { DataTypes, type QueryInterface } from 'sequelize';
import { addColumn, dropColumn } from '#migrations/steps';

const COLUMNS = {
  actor_id: DataTypes.CHAR(36),
  actor_session_id: DataTypes.CHAR(36),
  actor_name: DataTypes.STRING(100),
  actor_reason: DataTypes.STRING(200),
};

async function up(schema: QueryInterface): Promise<void> {
  for (const [name, type] of Object.entries(COLUMNS))
    await addColumn(schema, 'sessions', name, { type });
}

async function down(schema: QueryInterface): Promise<void> {
  for (const name of Object.keys(COLUMNS).reverse()) await dropColumn(schema, 'sessions', name);
}

/** Who acts for the user of a session, in which session of their own, and why. No foreign keys: that outlives them. */
export const impersonation = { up, down };
