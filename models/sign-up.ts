import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';
import { TURN } from '#models/turn';

/**
 * A sign-up whose address is not confirmed yet. It is no user and takes no name. There may be several for one address,
 * and some for the address of an existing user: the person who signs up must not see a difference.
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
  /** Goes up when somebody must be alone with the row: see `takeTurn`. */
  declare turn: CreationOptional<number>;
  declare createdAt: CreationOptional<Date>;

  static define(sequelize: Sequelize): typeof SignUp {
    return (class extends SignUp {} as typeof SignUp).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        username: DataTypes.STRING(64),
        usernameCanonical: DataTypes.STRING(64),
        email: { type: DataTypes.STRING(254), allowNull: false },
        emailCanonical: { type: DataTypes.STRING(254), allowNull: false },
        passwordHash: { type: DataTypes.STRING(255), allowNull: false },
        name: DataTypes.STRING(100),
        expiresAt: { type: DataTypes.DATE(3), allowNull: false },
        turn: TURN,
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      {
        sequelize,
        modelName: 'SignUp',
        tableName: 'sign_ups',
        updatedAt: false,
        indexes: [
          { fields: ['email_canonical'] },
          { fields: ['username_canonical'] },
          { fields: ['expires_at'] },
        ],
      },
    );
  }
}
