import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

/** An event, as it is kept in the audit trail. It is written in the transaction of its cause, and numbered afterwards. */
export class AuditEntry extends Model<
  InferAttributes<AuditEntry>,
  InferCreationAttributes<AuditEntry>
> {
  /** UUID version 7: ids are in the order of `createdAt`. */
  declare id: string;
  /** The name of the event. */
  declare type: string;
  /** Of the fields of this event. */
  declare version: number;
  /** The user who did it, if one did. */
  declare actor: CreationOptional<string | null>;
  declare actorKind: string;
  /** The user in whose name the actor did it. */
  declare onBehalfOf: CreationOptional<string | null>;
  /** The user whom it is about. The id outlives the user. */
  declare subject: CreationOptional<string | null>;
  /** The session that it is about, or else the session of the actor. */
  declare sessionId: CreationOptional<string | null>;
  declare ip: CreationOptional<string | null>;
  declare requestId: CreationOptional<string | null>;
  /** The other fields of the event, as JSON. */
  declare details: string;
  declare createdAt: Date;
  /** The key of `mac`. */
  declare keyId: string;
  /** HMAC-SHA-256 of all of the above, in base64url. */
  declare mac: string;
  /** The place in the trail, from 1 on. Null until it is sealed. */
  declare seq: CreationOptional<number | null>;
  /** SHA-256 of the hash before and of this row, in base64url. */
  declare hash: CreationOptional<string | null>;

  static define(sequelize: Sequelize): typeof AuditEntry {
    return (class extends AuditEntry {} as typeof AuditEntry).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        type: { type: DataTypes.STRING(64), allowNull: false },
        version: { type: DataTypes.INTEGER, allowNull: false },
        actor: DataTypes.CHAR(36),
        actorKind: { type: DataTypes.STRING(16), allowNull: false },
        onBehalfOf: DataTypes.CHAR(36),
        subject: DataTypes.CHAR(36),
        sessionId: DataTypes.CHAR(36),
        ip: DataTypes.STRING(45),
        requestId: DataTypes.STRING(64),
        details: { type: DataTypes.TEXT, allowNull: false },
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
        keyId: { type: DataTypes.CHAR(16), allowNull: false },
        mac: { type: DataTypes.CHAR(43), allowNull: false },
        seq: DataTypes.BIGINT,
        hash: DataTypes.CHAR(43),
      },
      {
        sequelize,
        modelName: 'AuditEntry',
        tableName: 'audit_entries',
        timestamps: false,
        indexes: [
          { unique: true, fields: ['seq'] },
          { fields: ['subject', 'id'] },
          { fields: ['actor', 'id'] },
          { fields: ['type', 'id'] },
        ],
      },
    );
  }
}
