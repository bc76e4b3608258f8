import { DataTypes, type QueryInterface } from 'sequelize';
import { addColumn, dropColumn } from '#migrations/steps';

const up = (schema: QueryInterface) =>
  addColumn(schema, 'sessions', 'dpop_key', { type: DataTypes.CHAR(43) });
const down = (schema: QueryInterface) => dropColumn(schema, 'sessions', 'dpop_key');

/** The key to which the tokens of a session are bound. */
export const dpop = { up, down };
