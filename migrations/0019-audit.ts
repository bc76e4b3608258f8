import { DataTypes, type QueryInterface } from 'sequelize';
import { addIndex, exactText } from '#migrations/steps';

const required = <T>(type: T) => ({ type, allowNull: false }) as const;
const key = <T>(type: T) => ({ type, allowNull: false, primaryKey: true }) as const;
const mac = {
  key_id: required(DataTypes.CHAR(16)),
  mac: required(DataTypes.CHAR(43)),
};

async function up(schema: QueryInterface): Promise<void> {
  const text = await exactText(schema);
  await schema.createTable(
    'audit_entries',
    {
      id: key(DataTypes.CHAR(36)),
      type: required(DataTypes.STRING(64)),
      version: required(DataTypes.INTEGER),
      actor: DataTypes.CHAR(36),
      actor_kind: required(DataTypes.STRING(16)),
      on_behalf_of: DataTypes.CHAR(36),
      subject: DataTypes.CHAR(36),
      session_id: DataTypes.CHAR(36),
      ip: DataTypes.STRING(45),
      request_id: DataTypes.STRING(64),
      details: required(DataTypes.TEXT),
      created_at: required(DataTypes.DATE(3)),
      ...mac,
      seq: DataTypes.BIGINT,
      hash: DataTypes.CHAR(43),
    },
    text,
  );
  await addIndex(schema, 'audit_entries', ['seq'], true);
  for (const column of ['subject', 'actor', 'type'])
    await addIndex(schema, 'audit_entries', [column, 'id']);
  await schema.createTable(
    'audit_chain',
    {
      id: key(DataTypes.INTEGER),
      base_seq: required(DataTypes.BIGINT),
      base_hash: required(DataTypes.CHAR(43)),
      tip_seq: required(DataTypes.BIGINT),
      tip_hash: required(DataTypes.CHAR(43)),
      ...mac,
      turn: { ...required(DataTypes.BIGINT), defaultValue: 0 },
    },
    text,
  );
  await schema.bulkDelete('audit_chain', { id: 1 });
  const empty = { base_seq: 0, base_hash: '', tip_seq: 0, tip_hash: '', key_id: '', mac: '' };
  await schema.bulkInsert('audit_chain', [{ id: 1, ...empty }]);
  await schema.createTable(
    'audit_days',
    {
      day: key(DataTypes.CHAR(10)),
      entries: required(DataTypes.BIGINT),
      last_seq: required(DataTypes.BIGINT),
      last_hash: required(DataTypes.CHAR(43)),
      ...mac,
    },
    text,
  );
  await schema.createTable(
    'audit_keys',
    {
      id: key(DataTypes.CHAR(16)),
      sealed_key: required(DataTypes.TEXT),
      created_at: required(DataTypes.DATE(3)),
    },
    text,
  );
}

async function down(schema: QueryInterface): Promise<void> {
  for (const name of ['keys', 'days', 'chain', 'entries']) await schema.dropTable(`audit_${name}`);
}

/** The audit trail: its entries, its chain, and the keys that prove them. */
export const audit = { up, down };
