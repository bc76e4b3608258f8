import { DataTypes, type QueryInterface } from 'sequelize';
import { addColumn, dropColumn } from '#migrations/steps';

/** What a provider wants back when its user is deleted here. */
export const identityGrants = {
  up: (schema: QueryInterface) =>
    addColumn(schema, 'identities', 'sealed_grant', { type: DataTypes.TEXT }),
  down: (schema: QueryInterface) => dropColumn(schema, 'identities', 'sealed_grant'),
};
