import { DataTypes, type QueryInterface } from 'sequelize';
import { addColumn, dropColumn } from '#migrations/steps';

async function up(schema: QueryInterface): Promise<void> {
  await addColumn(schema, 'sessions', 'amr', {
    type: DataTypes.STRING(128),
    allowNull: false,
    defaultValue: '',
  });
  await addColumn(schema, 'sessions', 'aal2_at', { type: DataTypes.DATE(3) });
}

async function down(schema: QueryInterface): Promise<void> {
  await dropColumn(schema, 'sessions', 'aal2_at');
  await dropColumn(schema, 'sessions', 'amr');
}

/** How the user of a session proved who they are, and when they last proved two factors. */
export const sessionAmr = { up, down };
