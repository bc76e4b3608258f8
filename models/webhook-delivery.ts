import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

/** An event that a webhook is to be told, or was told. */
export class WebhookDelivery extends Model<
  InferAttributes<WebhookDelivery>,
  InferCreationAttributes<WebhookDelivery>
> {
  declare id: string;
  declare webhookId: string;
  /** The `webhook-id` of each attempt. */
  declare eventId: string;
  declare type: string;
  /** What the event is about: the id of a user, the name of a role, or the id of something else. Deliveries about one subject go in order. */
  declare subject: string;
  /** The place of the event in the order of all events. */
  declare seq: number;
  /** JSON, sent as it is with each attempt. */
  declare body: string;
  declare state: 'pending' | 'delivered' | 'failed';
  /** Optimistic lock: each attempt has its own number, so one node has the delivery, and a node that was too slow changes nothing. */
  declare attempts: CreationOptional<number>;
  /** Null unless it is pending. During an attempt: from then on another node may try. */
  declare nextAttemptAt: Date | null;
  /** Null unless it is pending. Then it is given up. */
  declare expiresAt: Date | null;
  declare lastAttemptAt: CreationOptional<Date | null>;
  /** What the last attempt was answered. */
  declare lastStatus: CreationOptional<number | null>;
  /** Why it was not answered, in a word. */
  declare lastError: CreationOptional<string | null>;
  /** When it was delivered or given up. */
  declare settledAt: CreationOptional<Date | null>;
  declare createdAt: CreationOptional<Date>;

  static define(sequelize: Sequelize): typeof WebhookDelivery {
    return (class extends WebhookDelivery {} as typeof WebhookDelivery).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        webhookId: { type: DataTypes.CHAR(36), allowNull: false },
        eventId: { type: DataTypes.CHAR(36), allowNull: false },
        type: { type: DataTypes.STRING(64), allowNull: false },
        subject: { type: DataTypes.STRING(64), allowNull: false },
        seq: { type: DataTypes.BIGINT, allowNull: false, defaultValue: 0 },
        body: { type: DataTypes.TEXT, allowNull: false },
        state: { type: DataTypes.STRING(16), allowNull: false },
        attempts: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
        nextAttemptAt: DataTypes.DATE(3),
        expiresAt: DataTypes.DATE(3),
        lastAttemptAt: DataTypes.DATE(3),
        lastStatus: DataTypes.INTEGER,
        lastError: DataTypes.STRING(64),
        settledAt: DataTypes.DATE(3),
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      {
        sequelize,
        modelName: 'WebhookDelivery',
        tableName: 'webhook_deliveries',
        updatedAt: false,
        indexes: [
          { fields: ['webhook_id', 'id'] },
          { fields: ['webhook_id', 'next_attempt_at'] },
          { fields: ['webhook_id', 'state', 'subject', 'seq'] },
          { fields: ['expires_at'] },
          { fields: ['settled_at'] },
        ],
      },
    );
  }
}
