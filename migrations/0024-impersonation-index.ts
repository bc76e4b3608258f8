import type { QueryInterface } from 'sequelize';
import { addIndex, dropIndex } from '#migrations/steps';

const up = (schema: QueryInterface) => addIndex(schema, 'sessions', ['actor_id']);
const down = (schema: QueryInterface) => dropIndex(schema, 'sessions', ['actor_id']);

/** An index for the sessions in which somebody acts for others: they end with what they came from. */
export const impersonationIndex = { up, down };
