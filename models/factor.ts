import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type NonAttribute,
  type Sequelize,
} from 'sequelize';
import type { Passkey } from '#models/passkey';

/** Something that a user proves besides the first way to sign in, such as an authenticator app. */
export class Factor extends Model<InferAttributes<Factor>, InferCreationAttributes<Factor>> {
  declare id: string;
  declare userId: string;
  /** The name of a kind in src/factors. */
  declare kind: string;
  /** As its owner calls it. */
  declare name: string;
  /** The secret of an authenticator app, encrypted under APP_SECRET. Null for kinds that share none with the server. */
  declare secret: CreationOptional<string | null>;
  /** The time step of the newest code that was accepted (RFC 6238). Codes of it, and of earlier steps, are spent. */
  declare lastStep: CreationOptional<number | null>;
  /** Null until its owner has shown that it works. Until then it counts for nothing. */
  declare confirmedAt: CreationOptional<Date | null>;
  declare lastUsedAt: CreationOptional<Date | null>;
  declare createdAt: CreationOptional<Date>;

  /** Null for another kind, undefined if it was not read. */
  declare passkey?: NonAttribute<Passkey | null>;

  static define(sequelize: Sequelize): typeof Factor {
    return (class extends Factor {} as typeof Factor).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        userId: { type: DataTypes.CHAR(36), allowNull: false },
        kind: { type: DataTypes.STRING(16), allowNull: false },
        name: { type: DataTypes.STRING(64), allowNull: false },
        secret: DataTypes.TEXT,
        lastStep: DataTypes.INTEGER,
        confirmedAt: DataTypes.DATE(3),
        lastUsedAt: DataTypes.DATE(3),
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      {
        sequelize,
        modelName: 'Factor',
        tableName: 'factors',
        updatedAt: false,
        indexes: [{ fields: ['user_id'] }],
      },
    );
  }
}
