import { DataTypes, type QueryInterface } from 'sequelize';
import { addColumn, dropColumn } from '#migrations/steps';

const up = (schema: QueryInterface) =>
  addColumn(schema, 'users', 'locale', { type: DataTypes.STRING(35) });
const down = (schema: QueryInterface) => dropColumn(schema, 'users', 'locale');

/** The language that a user has chosen (BCP 47). */
export const userLocale = { up, down };
