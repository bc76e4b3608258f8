import { DataTypes, type QueryInterface } from 'sequelize';
import { addIndex, exactText } from '#migrations/steps';

async function up(schema: QueryInterface): Promise<void> {
  await schema.createTable(
    'user_numbers',
    {
      id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
      user_id: {
        type: DataTypes.CHAR(36),
        allowNull: false,
        references: { model: 'users', key: 'id' },
        onDelete: 'CASCADE',
        onUpdate: 'CASCADE',
      },
    },
    await exactText(schema),
  );
  await addIndex(schema, 'user_numbers', ['user_id'], true);
}

const down = (schema: QueryInterface): Promise<void> => schema.dropTable('user_numbers');

/** A number for each user who is shown to a front end that wants numbers for ids. */
export const userNumbers = { up, down };
