import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes, type Sequelize } from 'sequelize';

/** A key pair that signs access tokens. The private half is sealed under APP_SECRET. */
export class SigningKey extends Model<InferAttributes<SigningKey>, InferCreationAttributes<SigningKey>> {
  /** RFC 7638 thumbprint of the public key. */
  declare kid: string;
  declare algorithm: string;
  /** True for the key that signs, null for any other: the unique index lets each algorithm have one. */
  declare active: true | null;
  /** JWK (RFC 7517) as JSON. */
  declare publicKey: string;
  declare sealedPrivateKey: string;
  declare createdAt: CreationOptional<Date>;

  static define(sequelize: Sequelize) {
    this.init(
      {
        kid: { type: DataTypes.STRING(64), primaryKey: true },
        algorithm: { type: DataTypes.STRING(8), allowNull: false },
        active: DataTypes.BOOLEAN,
        publicKey: { type: DataTypes.TEXT, allowNull: false },
        sealedPrivateKey: { type: DataTypes.TEXT, allowNull: false },
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      { sequelize, tableName: 'signing_keys', updatedAt: false, indexes: [{ unique: true, fields: ['algorithm', 'active'] }] },
    );
  }
}
