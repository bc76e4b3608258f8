import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';
import { TURN } from '#models/turn';

/** How far the events were read for webhooks: one row. */
export class WebhookCursor extends Model<
  InferAttributes<WebhookCursor>,
  InferCreationAttributes<WebhookCursor>
> {
  declare id: string;
  /** For each event up to this number there are the deliveries that webhooks want. */
  declare seq: CreationOptional<number>;
  /** Goes up when somebody must be alone with the row: see `takeTurn`. */
  declare turn: CreationOptional<number>;

  static define(sequelize: Sequelize): typeof WebhookCursor {
    return (class extends WebhookCursor {} as typeof WebhookCursor).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        seq: { type: DataTypes.BIGINT, allowNull: false, defaultValue: 0 },
        turn: TURN,
      },
      { sequelize, modelName: 'WebhookCursor', tableName: 'webhook_cursors', timestamps: false },
    );
  }
}
