import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';
import { TURN } from '#models/turn';

/** Where the chain of the audit trail begins and ends: one row, which the migration makes. */
export class AuditChain extends Model<
  InferAttributes<AuditChain>,
  InferCreationAttributes<AuditChain>
> {
  /** Always 1. */
  declare id: number;
  /** The last entry that was removed because of its age, and its hash. 0 and an empty text if none was. */
  declare baseSeq: number;
  declare baseHash: string;
  /** The last entry that was sealed, and its hash. */
  declare tipSeq: number;
  declare tipHash: string;
  /** The key of `mac`. */
  declare keyId: string;
  /** HMAC-SHA-256 of the four fields above, in base64url. Empty until something was sealed. */
  declare mac: string;
  declare turn: CreationOptional<number>;

  static define(sequelize: Sequelize): typeof AuditChain {
    return (class extends AuditChain {} as typeof AuditChain).init(
      {
        id: { type: DataTypes.INTEGER, primaryKey: true },
        baseSeq: { type: DataTypes.BIGINT, allowNull: false },
        baseHash: { type: DataTypes.CHAR(43), allowNull: false },
        tipSeq: { type: DataTypes.BIGINT, allowNull: false },
        tipHash: { type: DataTypes.CHAR(43), allowNull: false },
        keyId: { type: DataTypes.CHAR(16), allowNull: false },
        mac: { type: DataTypes.CHAR(43), allowNull: false },
        turn: TURN,
      },
      { sequelize, modelName: 'AuditChain', tableName: 'audit_chain', timestamps: false },
    );
  }
}
