import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

/** One role of one user. */
export class UserRole extends Model<InferAttributes<UserRole>, InferCreationAttributes<UserRole>> {
  declare userId: string;
  declare roleId: string;
  declare createdAt: CreationOptional<Date>;

  static define(sequelize: Sequelize): typeof UserRole {
    return (class extends UserRole {} as typeof UserRole).init(
      {
        userId: { type: DataTypes.CHAR(36), primaryKey: true },
        roleId: { type: DataTypes.CHAR(36), primaryKey: true },
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      {
        sequelize,
        modelName: 'UserRole',
        tableName: 'user_roles',
        updatedAt: false,
        indexes: [{ fields: ['role_id', 'user_id'] }],
      },
    );
  }
}
