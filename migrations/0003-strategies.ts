import { DataTypes, type QueryInterface } from 'sequelize';
import { addIndex, exactText } from '#migrations/steps';

const id = { type: DataTypes.CHAR(36), primaryKey: true, allowNull: false } as const;
const time = { type: DataTypes.DATE(3), allowNull: false } as const;
const ofUser = {
  references: { model: 'users', key: 'id' },
  onDelete: 'CASCADE',
  onUpdate: 'CASCADE',
} as const;

async function up(schema: QueryInterface): Promise<void> {
  const text = await exactText(schema);
  await schema.createTable(
    'identities',
    {
      id,
      user_id: { type: DataTypes.CHAR(36), allowNull: false, ...ofUser },
      provider: { type: DataTypes.STRING(64), allowNull: false },
      subject: { type: DataTypes.STRING(512), allowNull: false },
      email: DataTypes.STRING(254),
      created_at: time,
    },
    text,
  );
  await addIndex(schema, 'identities', ['provider', 'subject'], true);
  await addIndex(schema, 'identities', ['user_id']);
  await schema.createTable(
    'api_keys',
    {
      id,
      user_id: { type: DataTypes.CHAR(36), allowNull: false, ...ofUser },
      name: { type: DataTypes.STRING(64), allowNull: false },
      digest: { type: DataTypes.CHAR(64), allowNull: false, unique: true },
      ending: { type: DataTypes.CHAR(4), allowNull: false },
      scopes: { type: DataTypes.STRING(1024), allowNull: false },
      expires_at: DataTypes.DATE(3),
      last_used_at: DataTypes.DATE(3),
      created_at: time,
    },
    text,
  );
  await addIndex(schema, 'api_keys', ['user_id']);
  await schema.createTable(
    'one_time_tokens',
    {
      digest: { type: DataTypes.CHAR(64), primaryKey: true, allowNull: false },
      purpose: { type: DataTypes.STRING(32), allowNull: false },
      user_id: { type: DataTypes.CHAR(36), ...ofUser },
      data: DataTypes.TEXT,
      tries: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
      expires_at: time,
      created_at: time,
    },
    text,
  );
  await addIndex(schema, 'one_time_tokens', ['user_id', 'purpose']);
  await addIndex(schema, 'one_time_tokens', ['expires_at']);
}

async function down(schema: QueryInterface): Promise<void> {
  for (const table of ['one_time_tokens', 'api_keys', 'identities']) await schema.dropTable(table);
}

/** Who a user is elsewhere, keys for scripts, and what may be done once. */
export const strategies = { up, down };
