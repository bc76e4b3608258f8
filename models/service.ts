import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';
import { TURN } from '#models/turn';

/** Another service that asks about tokens: a confidential client (RFC 6749 §2.1). Its id is its `client_id`. */
export class Service extends Model<InferAttributes<Service>, InferCreationAttributes<Service>> {
  declare id: string;
  declare name: string;
  /** What it may do, separated by spaces. */
  declare scopes: string;
  /** SHA-256 of the secret, in hex. A secret has 256 random bits, so it cannot be guessed from the digest. */
  declare secretDigest: string;
  /** That of the secret before, which is good until `previousSecretExpiresAt`. */
  declare previousSecretDigest: CreationOptional<string | null>;
  declare previousSecretExpiresAt: CreationOptional<Date | null>;
  /** To the minute; null before the first request. */
  declare lastUsedAt: CreationOptional<Date | null>;
  /** Goes up when somebody must be alone with the row: see `takeTurn`. */
  declare turn: CreationOptional<number>;
  declare createdAt: CreationOptional<Date>;
  declare updatedAt: CreationOptional<Date>;

  static define(sequelize: Sequelize): typeof Service {
    return (class extends Service {} as typeof Service).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        name: { type: DataTypes.STRING(64), allowNull: false, unique: true },
        scopes: { type: DataTypes.STRING(255), allowNull: false },
        secretDigest: { type: DataTypes.CHAR(64), allowNull: false },
        previousSecretDigest: DataTypes.CHAR(64),
        previousSecretExpiresAt: DataTypes.DATE(3),
        lastUsedAt: DataTypes.DATE(3),
        turn: TURN,
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
        updatedAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      { sequelize, modelName: 'Service', tableName: 'services' },
    );
  }
}
