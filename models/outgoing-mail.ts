import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

/** A mail that waits to be sent. It is written in the transaction of its cause. The row is deleted when the mail was sent. */
export class OutgoingMail extends Model<
  InferAttributes<OutgoingMail>,
  InferCreationAttributes<OutgoingMail>
> {
  declare id: string;
  /** The kind of mail. A log may say this, and nothing else of a mail. */
  declare template: string;
  /** Recipient, subject and bodies as JSON, encrypted under APP_SECRET: see `src/platform/mail/encrypted-payload`. */
  declare encryptedPayload: string;
  /** Optimistic lock: each attempt has its own number, so one node has the mail, and a node that was too slow changes nothing. */
  declare attempts: CreationOptional<number>;
  /** During an attempt: from then on another node may try. */
  declare nextAttemptAt: Date;
  /** From then on it is not worth sending. */
  declare expiresAt: Date;
  declare createdAt: CreationOptional<Date>;

  static define(sequelize: Sequelize): typeof OutgoingMail {
    return (class extends OutgoingMail {} as typeof OutgoingMail).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        template: { type: DataTypes.STRING(32), allowNull: false },
        encryptedPayload: { type: DataTypes.TEXT, allowNull: false, field: 'sealed_mail' },
        attempts: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0, field: 'tries' },
        nextAttemptAt: { type: DataTypes.DATE(3), allowNull: false, field: 'due_at' },
        expiresAt: { type: DataTypes.DATE(3), allowNull: false },
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      {
        sequelize,
        modelName: 'OutgoingMail',
        tableName: 'outgoing_mails',
        updatedAt: false,
        indexes: [{ fields: ['due_at'] }],
      },
    );
  }
}
