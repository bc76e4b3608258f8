import {
  DataTypes,
  Model,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

/** What was sealed on a day (UTC): so many entries, up to this one. */
export class AuditDay extends Model<InferAttributes<AuditDay>, InferCreationAttributes<AuditDay>> {
  /** `2026-11-27`. */
  declare day: string;
  declare entries: number;
  declare lastSeq: number;
  declare lastHash: string;
  /** The key of `mac`. */
  declare keyId: string;
  /** HMAC-SHA-256 of the fields above, in base64url. */
  declare mac: string;

  static define(sequelize: Sequelize): typeof AuditDay {
    return (class extends AuditDay {} as typeof AuditDay).init(
      {
        day: { type: DataTypes.CHAR(10), primaryKey: true },
        entries: { type: DataTypes.BIGINT, allowNull: false },
        lastSeq: { type: DataTypes.BIGINT, allowNull: false },
        lastHash: { type: DataTypes.CHAR(43), allowNull: false },
        keyId: { type: DataTypes.CHAR(16), allowNull: false },
        mac: { type: DataTypes.CHAR(43), allowNull: false },
      },
      { sequelize, modelName: 'AuditDay', tableName: 'audit_days', timestamps: false },
    );
  }
}
