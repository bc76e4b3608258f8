import {
  DataTypes,
  Model,
  type InferAttributes,
  type InferCreationAttributes,
  type NonAttribute,
  type Sequelize,
} from 'sequelize';
import type { Factor } from '#models/factor';

/** What a factor of the kind `passkey` is checked with (WebAuthn). It holds no secret. */
export class Passkey extends Model<InferAttributes<Passkey>, InferCreationAttributes<Passkey>> {
  declare factorId: string;
  /** SHA-256 of the credential id, in hex. An index of MySQL cannot hold the id itself. */
  declare digest: string;
  /** As the authenticator made it, in base64url: up to 1023 bytes. */
  declare credentialId: string;
  /** COSE key in base64url. */
  declare publicKey: string;
  /** Signatures that the authenticator said it had made, at the last one. 0 for those that do not count. */
  declare counter: number;
  /** How browsers reach the authenticator, separated by spaces: `usb nfc`. */
  declare transports: string;
  /**
   * `multiDevice`: the credential may be copied to other devices of its owner. It never changes. `unknown`: it came from
   * another system, and was not used here yet.
   */
  declare deviceType: string;
  /** Whether it had been copied when it was last used. */
  declare backedUp: boolean;
  /** The model of the authenticator, as it says itself. Good for a name, and for nothing else. */
  declare aaguid: string;

  declare factor?: NonAttribute<Factor>;

  static define(sequelize: Sequelize): typeof Passkey {
    return (class extends Passkey {} as typeof Passkey).init(
      {
        factorId: { type: DataTypes.CHAR(36), primaryKey: true },
        digest: { type: DataTypes.CHAR(64), allowNull: false, unique: true },
        credentialId: { type: DataTypes.STRING(1364), allowNull: false },
        publicKey: { type: DataTypes.STRING(2048), allowNull: false },
        counter: { type: DataTypes.BIGINT, allowNull: false },
        transports: { type: DataTypes.STRING(255), allowNull: false },
        deviceType: { type: DataTypes.STRING(16), allowNull: false },
        backedUp: { type: DataTypes.BOOLEAN, allowNull: false },
        aaguid: { type: DataTypes.CHAR(36), allowNull: false },
      },
      { sequelize, modelName: 'Passkey', tableName: 'passkeys', timestamps: false },
    );
  }
}
