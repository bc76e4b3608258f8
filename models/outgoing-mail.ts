import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes, type Sequelize } from 'sequelize';

/** A mail that is to be sent; when it was, the row is gone. It is written in the transaction of its cause, and undone with it. */
export class OutgoingMail extends Model<InferAttributes<OutgoingMail>, InferCreationAttributes<OutgoingMail>> {
  declare id: string;
  /** Which kind of mail: all that a log may say of it. */
  declare template: string;
  /** Recipient, subject and bodies as JSON, sealed under APP_SECRET: see `src/mail/sealed`. */
  declare sealedMail: string;
  /** How often it was tried. Each try has its own number, so of several nodes one has it, and one that was too slow can change nothing. */
  declare tries: CreationOptional<number>;
  /** When to try next. While somebody tries, when others may take it for dead. */
  declare dueAt: Date;
  /** From then on it would be of no use. */
  declare expiresAt: Date;
  declare createdAt: CreationOptional<Date>;

  static define(sequelize: Sequelize) {
    this.init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        template: { type: DataTypes.STRING(32), allowNull: false },
        sealedMail: { type: DataTypes.TEXT, allowNull: false },
        tries: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
        dueAt: { type: DataTypes.DATE(3), allowNull: false },
        expiresAt: { type: DataTypes.DATE(3), allowNull: false },
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      { sequelize, tableName: 'outgoing_mails', updatedAt: false, indexes: [{ fields: ['due_at'] }] },
    );
  }
}
