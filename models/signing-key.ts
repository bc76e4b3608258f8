import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

/** A key pair that signs access tokens. The private key is encrypted under APP_SECRET; the public key follows from it. */
export class SigningKey extends Model<
  InferAttributes<SigningKey>,
  InferCreationAttributes<SigningKey>
> {
  /** RFC 7638 thumbprint of the public key. */
  declare kid: string;
  declare algorithm: string;
  /** Numbers the keys of an algorithm. The unique index lets one of several nodes make the next key. */
  declare sequence: number;
  declare sealedPrivateKey: string;
  declare createdAt: CreationOptional<Date>;

  static define(sequelize: Sequelize): typeof SigningKey {
    return (class extends SigningKey {} as typeof SigningKey).init(
      {
        kid: { type: DataTypes.STRING(64), primaryKey: true },
        algorithm: { type: DataTypes.STRING(8), allowNull: false },
        sequence: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
        sealedPrivateKey: { type: DataTypes.TEXT, allowNull: false },
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      {
        sequelize,
        modelName: 'SigningKey',
        tableName: 'signing_keys',
        updatedAt: false,
        indexes: [{ unique: true, fields: ['algorithm', 'sequence'] }],
      },
    );
  }
}
