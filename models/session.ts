import {
  DataTypes,
  Model,
  Op,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type NonAttribute,
  type Sequelize,
  type WhereOptions,
} from 'sequelize';
import { TURN } from '#models/turn';
import type { User } from '#models/user';

/** One signed-in device. When it ends, every token that was issued for it is refused. */
export class Session extends Model<InferAttributes<Session>, InferCreationAttributes<Session>> {
  declare id: string;
  declare userId: string;
  /** The strategy by which the user signed in. */
  declare strategy: string;
  declare deviceKind: CreationOptional<string | null>;
  declare deviceName: CreationOptional<string | null>;
  declare devicePlatform: CreationOptional<string | null>;
  declare userAgent: CreationOptional<string | null>;
  declare ip: CreationOptional<string | null>;
  /** Number of refreshes. Each token names the generation it belongs to. */
  declare generation: CreationOptional<number>;
  /** When this generation began. Null in the first one. */
  declare rotatedAt: CreationOptional<Date | null>;
  /** True once an access token of this generation was used. The previous refresh token is then a replay. */
  declare acknowledged: CreationOptional<boolean>;
  /** When the user last re-authenticated. Null if they did so only when they signed in. */
  declare authenticatedAt: CreationOptional<Date | null>;
  /** How the user proved who they are (RFC 8176), separated by spaces. Empty for what began before this was stored. */
  declare amr: CreationOptional<string>;
  /** When the user last proved two factors. Null: never. */
  declare aal2At: CreationOptional<Date | null>;
  /** To the minute. Null before the first request. */
  declare lastSeenAt: CreationOptional<Date | null>;
  /** When it ends unless it is refreshed before. After the end: when it ended. */
  declare expiresAt: Date;
  declare endedAt: CreationOptional<Date | null>;
  /** The administrator who acts for the user in this session. Null: it is the user's own. */
  declare actorId: CreationOptional<string | null>;
  /** The administrator's own session. When it ends, this one does. */
  declare actorSessionId: CreationOptional<string | null>;
  /** The administrator's name when this session began. */
  declare actorName: CreationOptional<string | null>;
  /** Why the administrator acts for the user, in their words. */
  declare actorReason: CreationOptional<string | null>;
  /** Thumbprint (RFC 7638) of the key to which the tokens are bound (RFC 9449). Null: they are not. */
  declare dpopKey: CreationOptional<string | null>;
  /** Goes up when somebody must be alone with the row: see `takeTurn`. */
  declare turn: CreationOptional<number>;
  declare createdAt: CreationOptional<Date>;
  declare updatedAt: CreationOptional<Date>;

  declare user?: NonAttribute<User>;

  isLive(now: number): boolean {
    return this.endedAt === null && this.expiresAt.getTime() > now;
  }

  /** The same as a condition of a query. */
  static live(now: Date): WhereOptions<Session> {
    return { endedAt: null, expiresAt: { [Op.gt]: now } };
  }

  static define(sequelize: Sequelize): typeof Session {
    return (class extends Session {} as typeof Session).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        userId: { type: DataTypes.CHAR(36), allowNull: false },
        strategy: { type: DataTypes.STRING(64), allowNull: false },
        deviceKind: DataTypes.STRING(16),
        deviceName: DataTypes.STRING(64),
        devicePlatform: DataTypes.STRING(32),
        userAgent: DataTypes.STRING(255),
        ip: DataTypes.STRING(45),
        generation: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
        rotatedAt: DataTypes.DATE(3),
        acknowledged: { type: DataTypes.BOOLEAN, allowNull: false, defaultValue: true },
        authenticatedAt: DataTypes.DATE(3),
        amr: { type: DataTypes.STRING(128), allowNull: false, defaultValue: '' },
        aal2At: { type: DataTypes.DATE(3), field: 'aal2_at' },
        lastSeenAt: DataTypes.DATE(3),
        expiresAt: { type: DataTypes.DATE(3), allowNull: false },
        endedAt: DataTypes.DATE(3),
        actorId: DataTypes.CHAR(36),
        actorSessionId: DataTypes.CHAR(36),
        actorName: DataTypes.STRING(100),
        actorReason: DataTypes.STRING(200),
        dpopKey: DataTypes.CHAR(43),
        turn: TURN,
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
        updatedAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      {
        sequelize,
        modelName: 'Session',
        tableName: 'sessions',
        indexes: [{ fields: ['user_id'] }, { fields: ['expires_at'] }, { fields: ['actor_id'] }],
      },
    );
  }
}
