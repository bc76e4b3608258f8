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

/** A key with which a script acts for a user. Only its digest is stored. */
export class ApiKey extends Model<InferAttributes<ApiKey>, InferCreationAttributes<ApiKey>> {
  declare id: string;
  declare userId: string;
  declare name: string;
  /** SHA-256 of the key, in hex. A key has 190 random bits, so it cannot be guessed from the digest. */
  declare digest: string;
  /** Its last four characters, so that its owner can tell keys apart. */
  declare last4: string;
  /** The roles of its owner that it may use, separated by spaces. */
  declare scopes: string;
  declare expiresAt: CreationOptional<Date | null>;
  /** To the minute; null before the first request. */
  declare lastUsedAt: CreationOptional<Date | null>;
  declare createdAt: CreationOptional<Date>;

  declare user?: NonAttribute<User>;

  static define(sequelize: Sequelize): typeof ApiKey {
    return (class extends ApiKey {} as typeof ApiKey).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        userId: { type: DataTypes.CHAR(36), allowNull: false },
        name: { type: DataTypes.STRING(64), allowNull: false },
        digest: { type: DataTypes.CHAR(64), allowNull: false, unique: true },
        last4: { type: DataTypes.CHAR(4), allowNull: false, field: 'ending' },
        scopes: { type: DataTypes.STRING(1024), allowNull: false },
        expiresAt: DataTypes.DATE(3),
        lastUsedAt: DataTypes.DATE(3),
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      {
        sequelize,
        modelName: 'ApiKey',
        tableName: 'api_keys',
        updatedAt: false,
        indexes: [{ fields: ['user_id'] }],
      },
    );
  }
}
