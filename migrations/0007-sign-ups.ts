import { DataTypes, type QueryInterface } from 'sequelize';
import { addColumn, addIndex, dropColumn, dropIndex, exactText } from '#migrations/steps';

const time = { type: DataTypes.DATE(3), allowNull: false } as const;

async function up(schema: QueryInterface): Promise<void> {
  await schema.createTable(
    'sign_ups',
    {
      id: { type: DataTypes.CHAR(36), primaryKey: true, allowNull: false },
      username: DataTypes.STRING(64),
      username_canonical: DataTypes.STRING(64),
      email: { type: DataTypes.STRING(254), allowNull: false },
      email_canonical: { type: DataTypes.STRING(254), allowNull: false },
      password_hash: { type: DataTypes.STRING(255), allowNull: false },
      name: DataTypes.STRING(100),
      expires_at: time,
      created_at: time,
    },
    await exactText(schema),
  );
  for (const column of ['email_canonical', 'username_canonical', 'expires_at'])
    await addIndex(schema, 'sign_ups', [column]);
  await addColumn(schema, 'one_time_tokens', 'sign_up_id', { type: DataTypes.CHAR(36) });
  await addIndex(schema, 'one_time_tokens', ['sign_up_id']);
}

async function down(schema: QueryInterface): Promise<void> {
  await dropIndex(schema, 'one_time_tokens', ['sign_up_id']);
  await dropColumn(schema, 'one_time_tokens', 'sign_up_id');
  await schema.dropTable('sign_ups');
}

/** Who signed up, until they have proved their address. */
export const signUps = { up, down };
