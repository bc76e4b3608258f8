import { DataTypes, QueryTypes, type QueryInterface } from 'sequelize';
import { v7 as uuid } from 'uuid';
import { addIndex, exactText } from '#migrations/steps';

const id = { type: DataTypes.CHAR(36), primaryKey: true, allowNull: false } as const;
const time = { type: DataTypes.DATE(3), allowNull: false } as const;
const to = (model: string) => ({
  references: { model, key: 'id' },
  onDelete: 'CASCADE',
  onUpdate: 'CASCADE',
});

// MySQL cannot undo a half-made schema, so each step may run again after a crash: tables, indexes and rows that exist are left.
async function up(schema: QueryInterface): Promise<void> {
  const text = await exactText(schema);
  await schema.createTable(
    'users',
    {
      id,
      username: DataTypes.STRING(64),
      username_canonical: { type: DataTypes.STRING(64), unique: true },
      email: DataTypes.STRING(254),
      email_canonical: { type: DataTypes.STRING(254), unique: true },
      email_verified_at: DataTypes.DATE(3),
      password_hash: DataTypes.STRING(255),
      name: DataTypes.STRING(100),
      disabled_at: DataTypes.DATE(3),
      created_at: time,
      updated_at: time,
    },
    text,
  );
  await schema.createTable(
    'roles',
    {
      id,
      name: { type: DataTypes.STRING(64), allowNull: false, unique: true },
      created_at: time,
    },
    text,
  );
  await schema.createTable(
    'user_roles',
    {
      user_id: { ...id, ...to('users') },
      role_id: { ...id, ...to('roles') },
      created_at: time,
    },
    text,
  );
  await addIndex(schema, 'user_roles', ['role_id']);
  await schema.createTable(
    'sessions',
    {
      id,
      user_id: { type: DataTypes.CHAR(36), allowNull: false, ...to('users') },
      strategy: { type: DataTypes.STRING(64), allowNull: false },
      device_kind: DataTypes.STRING(16),
      device_name: DataTypes.STRING(64),
      user_agent: DataTypes.STRING(255),
      ip: DataTypes.STRING(45),
      generation: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
      expires_at: time,
      ended_at: DataTypes.DATE(3),
      created_at: time,
      updated_at: time,
    },
    text,
  );
  await addIndex(schema, 'sessions', ['user_id']);
  await schema.createTable(
    'signing_keys',
    {
      kid: { type: DataTypes.STRING(64), primaryKey: true, allowNull: false },
      algorithm: { type: DataTypes.STRING(8), allowNull: false },
      active: DataTypes.BOOLEAN,
      sealed_private_key: { type: DataTypes.TEXT, allowNull: false },
      created_at: time,
    },
    text,
  );
  await addIndex(schema, 'signing_keys', ['algorithm', 'active'], true);
  await seedRoles(schema, ['user', 'moderator', 'admin']);
}

async function down(schema: QueryInterface): Promise<void> {
  for (const table of ['signing_keys', 'sessions', 'user_roles', 'roles', 'users'])
    await schema.dropTable(table);
}

async function seedRoles(schema: QueryInterface, names: string[]): Promise<void> {
  const present = (
    await schema.sequelize.query<{ name: string }>('SELECT name FROM roles', {
      type: QueryTypes.SELECT,
    })
  ).map((role) => role.name);
  const missing = names.filter((name) => !present.includes(name));
  if (missing.length > 0)
    await schema.bulkInsert(
      'roles',
      missing.map((name) => ({ id: uuid(), name, created_at: new Date() })),
    );
}

/** Users, roles, sessions and signing keys. */
export const foundation = { up, down };
