import { DataTypes, type QueryInterface } from 'sequelize';
import { addColumn, dropColumn } from '#migrations/steps';

const text = (length: number) => ({
  type: DataTypes.STRING(length),
  allowNull: false,
  defaultValue: '',
});

// A server of before, which runs on during an upgrade, makes roles without permissions.
async function up(schema: QueryInterface): Promise<void> {
  await addColumn(schema, 'roles', 'description', text(255));
  await addColumn(schema, 'roles', 'permissions', text(6500));
  await schema.bulkUpdate('roles', { permissions: '*' }, { name: 'admin' });
}

async function down(schema: QueryInterface): Promise<void> {
  await dropColumn(schema, 'roles', 'permissions');
  await dropColumn(schema, 'roles', 'description');
}

/** What a role is for, and what it allows. The role `admin` allows everything. */
export const permissions = { up, down };
