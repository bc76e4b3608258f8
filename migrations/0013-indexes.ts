import type { QueryInterface } from 'sequelize';
import { addIndex, dropIndex } from '#migrations/steps';

// The new index comes first: MySQL wants one for the foreign key at any time.
async function up(schema: QueryInterface): Promise<void> {
  await addIndex(schema, 'user_roles', ['role_id', 'user_id']);
  await dropIndex(schema, 'user_roles', ['role_id']);
}

async function down(schema: QueryInterface): Promise<void> {
  await addIndex(schema, 'user_roles', ['role_id']);
  await dropIndex(schema, 'user_roles', ['role_id', 'user_id']);
}

/** An index for the users of a role in the order of their ids. */
export const indexes = { up, down };
