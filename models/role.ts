import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';
import { TURN } from '#models/turn';

/** A role. `user`, `moderator` and `admin` exist from the start. */
export class Role extends Model<InferAttributes<Role>, InferCreationAttributes<Role>> {
  declare id: string;
  declare name: string;
  /** For people. Default: empty. */
  declare description: CreationOptional<string>;
  /** What it allows: see `users/permissions`. In alphabetical order, separated by spaces. Default: nothing. */
  declare permissions: CreationOptional<string>;
  /** Goes up when somebody must be alone with the row: see `takeTurn`. */
  declare turn: CreationOptional<number>;
  declare createdAt: CreationOptional<Date>;

  static define(sequelize: Sequelize): typeof Role {
    return (class extends Role {} as typeof Role).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        name: { type: DataTypes.STRING(64), allowNull: false, unique: true },
        description: { type: DataTypes.STRING(255), allowNull: false, defaultValue: '' },
        permissions: { type: DataTypes.STRING(6500), allowNull: false, defaultValue: '' },
        turn: TURN,
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      { sequelize, modelName: 'Role', tableName: 'roles', updatedAt: false },
    );
  }
}
