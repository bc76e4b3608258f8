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
  /** Goes up when somebody must be alone with the row: see `takeTurn`. */
  declare turn: CreationOptional<number>;
  declare createdAt: CreationOptional<Date>;

  static define(sequelize: Sequelize): typeof Role {
    return (class extends Role {} as typeof Role).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        name: { type: DataTypes.STRING(64), allowNull: false, unique: true },
        turn: TURN,
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      { sequelize, modelName: 'Role', tableName: 'roles', updatedAt: false },
    );
  }
}
