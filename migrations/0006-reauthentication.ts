import { DataTypes, type QueryInterface } from 'sequelize';
import { addColumn, dropColumn } from '#migrations/steps';

/** When a user last proved again who they are. */
export const reauthentication = {
  up: (schema: QueryInterface) =>
    addColumn(schema, 'sessions', 'authenticated_at', { type: DataTypes.DATE(3) }),
  down: (schema: QueryInterface) => dropColumn(schema, 'sessions', 'authenticated_at'),
};
