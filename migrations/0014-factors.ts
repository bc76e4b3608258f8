import { DataTypes, type QueryInterface } from 'sequelize';
import { addColumn, addIndex, dropColumn, exactText } from '#migrations/steps';

const id = { type: DataTypes.CHAR(36), primaryKey: true, allowNull: false } as const;
const time = { type: DataTypes.DATE(3), allowNull: false } as const;
const ofUser = {
  type: DataTypes.CHAR(36),
  allowNull: false,
  references: { model: 'users', key: 'id' },
  onDelete: 'CASCADE',
  onUpdate: 'CASCADE',
} as const;

async function up(schema: QueryInterface): Promise<void> {
  const text = await exactText(schema);
  await schema.createTable(
    'factors',
    {
      id,
      user_id: ofUser,
      kind: { type: DataTypes.STRING(16), allowNull: false },
      name: { type: DataTypes.STRING(64), allowNull: false },
      secret: DataTypes.TEXT,
      last_step: DataTypes.INTEGER,
      confirmed_at: DataTypes.DATE(3),
      last_used_at: DataTypes.DATE(3),
      created_at: time,
    },
    text,
  );
  await addIndex(schema, 'factors', ['user_id']);
  await schema.createTable(
    'recovery_codes',
    {
      id,
      user_id: ofUser,
      digest: { type: DataTypes.CHAR(64), allowNull: false },
      created_at: time,
    },
    text,
  );
  await addIndex(schema, 'recovery_codes', ['user_id', 'digest'], true);
  await addColumn(schema, 'users', 'factors', {
    type: DataTypes.INTEGER,
    allowNull: false,
    defaultValue: 0,
  });
}

async function down(schema: QueryInterface): Promise<void> {
  await dropColumn(schema, 'users', 'factors');
  for (const table of ['recovery_codes', 'factors']) await schema.dropTable(table);
}

/** What a user proves besides the first way to sign in, and how many such things each user has. */
export const factors = { up, down };
