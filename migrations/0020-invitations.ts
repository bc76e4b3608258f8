import { DataTypes, type QueryInterface } from 'sequelize';
import { addIndex, dropIndex, exactText } from '#migrations/steps';

const time = { type: DataTypes.DATE(3), allowNull: false } as const;

async function up(schema: QueryInterface): Promise<void> {
  await schema.createTable(
    'invitations',
    {
      id: { type: DataTypes.CHAR(36), primaryKey: true, allowNull: false },
      email: { type: DataTypes.STRING(254), allowNull: false },
      email_canonical: { type: DataTypes.STRING(254), allowNull: false },
      name: DataTypes.STRING(100),
      roles: { type: DataTypes.STRING(1300), allowNull: false },
      digest: DataTypes.CHAR(64),
      invited_by: {
        type: DataTypes.CHAR(36),
        references: { model: 'users', key: 'id' },
        onDelete: 'CASCADE',
        onUpdate: 'CASCADE',
      },
      expires_at: time,
      created_at: time,
    },
    await exactText(schema),
  );
  for (const column of ['email_canonical', 'digest'])
    await addIndex(schema, 'invitations', [column], true);
  for (const column of ['invited_by', 'expires_at'])
    await addIndex(schema, 'invitations', [column]);
  await addIndex(schema, 'users', ['created_at', 'id']);
}

async function down(schema: QueryInterface): Promise<void> {
  await dropIndex(schema, 'users', ['created_at', 'id']);
  await schema.dropTable('invitations');
}

/** Who was invited and has not come yet. And an index for lists of users by when they were made. */
export const invitations = { up, down };
