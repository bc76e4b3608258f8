import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

/** The number of a user, for front ends that know no other ids. It identifies, and proves nothing. */
export class UserNumber extends Model<
  InferAttributes<UserNumber>,
  InferCreationAttributes<UserNumber>
> {
  declare id: CreationOptional<number>;
  declare userId: string;

  static define(sequelize: Sequelize): typeof UserNumber {
    return (class extends UserNumber {} as typeof UserNumber).init(
      {
        id: { type: DataTypes.INTEGER, primaryKey: true, autoIncrement: true },
        userId: { type: DataTypes.CHAR(36), allowNull: false, unique: true },
      },
      { sequelize, modelName: 'UserNumber', tableName: 'user_numbers', timestamps: false },
    );
  }
}
