import {
  DataTypes,
  Model,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

/** A key that proves which rows of the audit trail the server wrote. It is encrypted under APP_SECRET. */
export class AuditKey extends Model<InferAttributes<AuditKey>, InferCreationAttributes<AuditKey>> {
  /** 16 hexadecimal digits, derived from the key. */
  declare id: string;
  declare sealedKey: string;
  declare createdAt: Date;

  static define(sequelize: Sequelize): typeof AuditKey {
    return (class extends AuditKey {} as typeof AuditKey).init(
      {
        id: { type: DataTypes.CHAR(16), primaryKey: true },
        sealedKey: { type: DataTypes.TEXT, allowNull: false },
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      { sequelize, modelName: 'AuditKey', tableName: 'audit_keys', timestamps: false },
    );
  }
}
