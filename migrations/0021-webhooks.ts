import { DataTypes, type QueryInterface } from 'sequelize';
import { addIndex, exactText } from '#migrations/steps';

const id = { type: DataTypes.CHAR(36), primaryKey: true, allowNull: false } as const;
const count = { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 } as const;
const number = { type: DataTypes.BIGINT, allowNull: false, defaultValue: 0 } as const;
/** The id of the only row of `webhook_cursors`. */
const CURSOR = '00000000-0000-0000-0000-000000000000';
const time = { type: DataTypes.DATE(3), allowNull: false } as const;

async function up(schema: QueryInterface): Promise<void> {
  const text = await exactText(schema);
  await schema.createTable(
    'webhooks',
    {
      id,
      url: { type: DataTypes.TEXT, allowNull: false },
      description: { type: DataTypes.STRING(200), allowNull: false },
      types: { type: DataTypes.TEXT, allowNull: false },
      sealed_secret: { type: DataTypes.TEXT, allowNull: false },
      sealed_previous_secret: DataTypes.TEXT,
      previous_secret_expires_at: DataTypes.DATE(3),
      after_seq: number,
      failures: count,
      failing_since: DataTypes.DATE(3),
      retry_at: DataTypes.DATE(3),
      disabled_at: DataTypes.DATE(3),
      disabled_why: DataTypes.STRING(16),
      created_at: time,
      updated_at: time,
    },
    text,
  );
  await schema.createTable(
    'webhook_deliveries',
    {
      id,
      webhook_id: {
        type: DataTypes.CHAR(36),
        allowNull: false,
        references: { model: 'webhooks', key: 'id' },
        onDelete: 'CASCADE',
        onUpdate: 'CASCADE',
      },
      event_id: { type: DataTypes.CHAR(36), allowNull: false },
      type: { type: DataTypes.STRING(64), allowNull: false },
      subject: { type: DataTypes.STRING(64), allowNull: false },
      seq: number,
      body: { type: DataTypes.TEXT, allowNull: false },
      state: { type: DataTypes.STRING(16), allowNull: false },
      attempts: count,
      next_attempt_at: DataTypes.DATE(3),
      expires_at: DataTypes.DATE(3),
      last_attempt_at: DataTypes.DATE(3),
      last_status: DataTypes.INTEGER,
      last_error: DataTypes.STRING(64),
      settled_at: DataTypes.DATE(3),
      created_at: time,
    },
    text,
  );
  const indexes = [
    ['webhook_id', 'id'],
    ['webhook_id', 'next_attempt_at'],
    ['webhook_id', 'state', 'subject', 'seq'],
    ['expires_at'],
    ['settled_at'],
  ];
  for (const fields of indexes) await addIndex(schema, 'webhook_deliveries', fields);
  await schema.createTable('webhook_cursors', { id, seq: number, turn: number }, text);
  const [rows] = await schema.sequelize.query('SELECT id FROM webhook_cursors');
  if (rows.length === 0) await schema.bulkInsert('webhook_cursors', [{ id: CURSOR }]);
}

async function down(schema: QueryInterface): Promise<void> {
  for (const table of ['webhook_cursors', 'webhook_deliveries', 'webhooks'])
    await schema.dropTable(table);
}

/** Who is told of events, what is to be told, and how far the events were read. */
export const webhooks = { up, down };
