import { DataTypes, type QueryInterface } from 'sequelize';
import { exactText } from '#migrations/steps';

async function up(schema: QueryInterface): Promise<void> {
  await schema.createTable(
    'services',
    {
      id: { type: DataTypes.CHAR(36), primaryKey: true, allowNull: false },
      name: { type: DataTypes.STRING(64), allowNull: false, unique: true },
      scopes: { type: DataTypes.STRING(255), allowNull: false },
      secret_digest: { type: DataTypes.CHAR(64), allowNull: false },
      previous_secret_digest: DataTypes.CHAR(64),
      previous_secret_expires_at: DataTypes.DATE(3),
      last_used_at: DataTypes.DATE(3),
      turn: { type: DataTypes.BIGINT, allowNull: false, defaultValue: 0 },
      created_at: { type: DataTypes.DATE(3), allowNull: false },
      updated_at: { type: DataTypes.DATE(3), allowNull: false },
    },
    await exactText(schema),
  );
}

const down = (schema: QueryInterface): Promise<void> => schema.dropTable('services');

/** Other services, which ask about tokens. */
export const services = { up, down };
