import { DataTypes, type QueryInterface } from 'sequelize';
import { addIndex, exactText } from '#migrations/steps';

async function up(schema: QueryInterface): Promise<void> {
  await schema.createTable(
    'limits',
    {
      id: { type: DataTypes.CHAR(32), primaryKey: true, allowNull: false },
      hits: { type: DataTypes.INTEGER, allowNull: false },
      opens_at: { type: DataTypes.BIGINT, allowNull: false },
      resets_at: { type: DataTypes.BIGINT, allowNull: false },
    },
    await exactText(schema),
  );
  await addIndex(schema, 'limits', ['resets_at']);
}

const down = (schema: QueryInterface): Promise<void> => schema.dropTable('limits');

/** Rate-limit counters. */
export const limits = { up, down };
