import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type NonAttribute,
  type Sequelize,
} from 'sequelize';
import type { User } from '#models/user';

/** A key with which a script acts for a user. What is kept does not open anything. */
export class ApiKey extends Model<InferAttributes<ApiKey>, InferCreationAttributes<ApiKey>> {
  declare id: string;
  declare userId: string;
  declare name: string;
  /** SHA-256 of the key, in hex: it has too many bits to be guessed from it. */
  declare digest: string;
  /** Its last characters, so that its owner can tell one from another. */
  declare ending: string;
  /** Roles of its owner that it may use, separated by spaces. */
  declare scopes: string;
  declare expiresAt: CreationOptional<Date | null>;
  /** To the minute; null before the first request. */
  declare lastUsedAt: CreationOptional<Date | null>;
  declare createdAt: CreationOptional<Date>;

  declare user?: NonAttribute<User>;

  isLive(now: number): boolean {
    return this.expiresAt === null || this.expiresAt.getTime() > now;
  }

  static define(sequelize: Sequelize) {
    this.init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        userId: { type: DataTypes.CHAR(36), allowNull: false },
        name: { type: DataTypes.STRING(64), allowNull: false },
        digest: { type: DataTypes.CHAR(64), allowNull: false, unique: true },
        ending: { type: DataTypes.CHAR(4), allowNull: false },
        scopes: { type: DataTypes.STRING(1024), allowNull: false },
        expiresAt: DataTypes.DATE(3),
        lastUsedAt: DataTypes.DATE(3),
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      { sequelize, tableName: 'api_keys', updatedAt: false, indexes: [{ fields: ['user_id'] }] },
    );
  }
}
