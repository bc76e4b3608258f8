import { DataTypes, type QueryInterface } from 'sequelize';
import { addColumn, addIndex, dropColumn, dropIndex } from '#migrations/steps';

async function up(schema: QueryInterface): Promise<void> {
  await addColumn(schema, 'sessions', 'device_platform', { type: DataTypes.STRING(32) });
  await addColumn(schema, 'sessions', 'rotated_at', { type: DataTypes.DATE(3) });
  await addColumn(schema, 'sessions', 'acknowledged', {
    type: DataTypes.BOOLEAN,
    allowNull: false,
    defaultValue: true,
  });
  await addColumn(schema, 'sessions', 'last_seen_at', { type: DataTypes.DATE(3) });
  await addIndex(schema, 'sessions', ['expires_at']);

  await addColumn(schema, 'signing_keys', 'sequence', {
    type: DataTypes.INTEGER,
    allowNull: false,
    defaultValue: 0,
  });
  await addIndex(schema, 'signing_keys', ['algorithm', 'sequence'], true);
  await dropIndex(schema, 'signing_keys', ['algorithm', 'active']);
  await dropColumn(schema, 'signing_keys', 'active');
}

async function down(schema: QueryInterface): Promise<void> {
  await addColumn(schema, 'signing_keys', 'active', { type: DataTypes.BOOLEAN });
  // The former release knows one key of each algorithm, the one that signs.
  await schema.sequelize.query(
    'UPDATE signing_keys SET active = 1 WHERE sequence = (SELECT newest FROM (SELECT algorithm AS of_algorithm, MAX(sequence) AS newest FROM signing_keys GROUP BY algorithm) AS last WHERE of_algorithm = algorithm)',
  );
  await addIndex(schema, 'signing_keys', ['algorithm', 'active'], true);
  await dropIndex(schema, 'signing_keys', ['algorithm', 'sequence']);
  await dropColumn(schema, 'signing_keys', 'sequence');

  await dropIndex(schema, 'sessions', ['expires_at']);
  for (const column of ['device_platform', 'rotated_at', 'acknowledged', 'last_seen_at'])
    await dropColumn(schema, 'sessions', column);
}

/** What refreshing needs to know of a session, and numbered signing keys in place of one that is `active`. */
export const refresh = { up, down };
