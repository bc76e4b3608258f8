import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes, type Sequelize } from 'sequelize';

/**
 * Somebody who signed up and has yet to prove their address: no user, and no name is taken by it. There may be several with one
 * address, and some for an address that a user has: whoever made those is to see no difference.
 */
export class SignUp extends Model<InferAttributes<SignUp>, InferCreationAttributes<SignUp>> {
  declare id: string;
  declare username: string | null;
  declare usernameCanonical: string | null;
  declare email: string;
  declare emailCanonical: string;
  declare passwordHash: string;
  declare name: string | null;
  declare expiresAt: Date;
  declare createdAt: CreationOptional<Date>;

  static define(sequelize: Sequelize) {
    this.init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        username: DataTypes.STRING(64),
        usernameCanonical: DataTypes.STRING(64),
        email: { type: DataTypes.STRING(254), allowNull: false },
        emailCanonical: { type: DataTypes.STRING(254), allowNull: false },
        passwordHash: { type: DataTypes.STRING(255), allowNull: false },
        name: DataTypes.STRING(100),
        expiresAt: { type: DataTypes.DATE(3), allowNull: false },
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      {
        sequelize,
        tableName: 'sign_ups',
        updatedAt: false,
        indexes: [{ fields: ['email_canonical'] }, { fields: ['username_canonical'] }, { fields: ['expires_at'] }],
      },
    );
  }
}
