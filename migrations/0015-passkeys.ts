import { DataTypes, type QueryInterface } from 'sequelize';
import { addIndex, exactText } from '#migrations/steps';

async function up(schema: QueryInterface): Promise<void> {
  await schema.createTable(
    'passkeys',
    {
      factor_id: {
        type: DataTypes.CHAR(36),
        primaryKey: true,
        allowNull: false,
        references: { model: 'factors', key: 'id' },
        onDelete: 'CASCADE',
        onUpdate: 'CASCADE',
      },
      digest: { type: DataTypes.CHAR(64), allowNull: false },
      credential_id: { type: DataTypes.STRING(1364), allowNull: false },
      public_key: { type: DataTypes.STRING(2048), allowNull: false },
      counter: { type: DataTypes.BIGINT, allowNull: false },
      transports: { type: DataTypes.STRING(255), allowNull: false },
      device_type: { type: DataTypes.STRING(16), allowNull: false },
      backed_up: { type: DataTypes.BOOLEAN, allowNull: false },
      aaguid: { type: DataTypes.CHAR(36), allowNull: false },
    },
    await exactText(schema),
  );
  await addIndex(schema, 'passkeys', ['digest'], true);
}

const down = (schema: QueryInterface): Promise<void> => schema.dropTable('passkeys');

/** What is known of the factors that are passkeys. No two of them are the same credential. */
export const passkeys = { up, down };
