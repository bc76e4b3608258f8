import { DataTypes, type QueryInterface } from 'sequelize';
import { addIndex, exactText } from '#migrations/steps';

const time = { type: DataTypes.DATE(3), allowNull: false } as const;

async function up(schema: QueryInterface): Promise<void> {
  await schema.createTable(
    'outgoing_mails',
    {
      id: { type: DataTypes.CHAR(36), primaryKey: true, allowNull: false },
      template: { type: DataTypes.STRING(32), allowNull: false },
      sealed_mail: { type: DataTypes.TEXT, allowNull: false },
      tries: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
      due_at: time,
      expires_at: time,
      created_at: time,
    },
    await exactText(schema),
  );
  await addIndex(schema, 'outgoing_mails', ['due_at']);
}

async function down(schema: QueryInterface): Promise<void> {
  await schema.dropTable('outgoing_mails');
}

/** Mails that are to be sent. */
export const outbox = { up, down };
