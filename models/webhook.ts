import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

/** An address that is told of events. */
export class Webhook extends Model<InferAttributes<Webhook>, InferCreationAttributes<Webhook>> {
  declare id: string;
  declare url: string;
  /** What it is for, in words of whoever made it. May be empty. */
  declare description: string;
  /** The types of events that it wants, with a space between two: `user.registered role.*`. */
  declare types: string;
  /** Signs what is sent. Encrypted under APP_SECRET. */
  declare sealedSecret: string;
  /** The secret before. It signs, too, until `previousSecretExpiresAt`. */
  declare sealedPreviousSecret: CreationOptional<string | null>;
  declare previousSecretExpiresAt: CreationOptional<Date | null>;
  /** Events up to this number are not for it: it was made, or enabled, after them. */
  declare afterSeq: CreationOptional<number>;
  /** How many attempts have failed since the last one that did not. */
  declare failures: CreationOptional<number>;
  /** When the first of them failed. */
  declare failingSince: CreationOptional<Date | null>;
  /** Until then nothing is sent there, because an attempt failed. */
  declare retryAt: CreationOptional<Date | null>;
  declare disabledAt: CreationOptional<Date | null>;
  /** `by_hand`, or `gone`: it answered 410. */
  declare disabledWhy: CreationOptional<string | null>;
  declare createdAt: CreationOptional<Date>;
  declare updatedAt: CreationOptional<Date>;

  static define(sequelize: Sequelize): typeof Webhook {
    return (class extends Webhook {} as typeof Webhook).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        url: { type: DataTypes.TEXT, allowNull: false },
        description: { type: DataTypes.STRING(200), allowNull: false },
        types: { type: DataTypes.TEXT, allowNull: false },
        sealedSecret: { type: DataTypes.TEXT, allowNull: false },
        sealedPreviousSecret: DataTypes.TEXT,
        previousSecretExpiresAt: DataTypes.DATE(3),
        afterSeq: { type: DataTypes.BIGINT, allowNull: false, defaultValue: 0 },
        failures: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
        failingSince: DataTypes.DATE(3),
        retryAt: DataTypes.DATE(3),
        disabledAt: DataTypes.DATE(3),
        disabledWhy: DataTypes.STRING(16),
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
        updatedAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      { sequelize, modelName: 'Webhook', tableName: 'webhooks' },
    );
  }
}
