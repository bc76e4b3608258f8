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
import type { User } from '#models/user';

/** One signed-in device. When it ends, every token it ever issued ends with it. */
export class Session extends Model<InferAttributes<Session>, InferCreationAttributes<Session>> {
  declare id: string;
  declare userId: string;
  /** How the user proved who they are: the name of a file in strategies/. */
  declare strategy: string;
  declare deviceKind: CreationOptional<string | null>;
  declare deviceName: CreationOptional<string | null>;
  declare devicePlatform: CreationOptional<string | null>;
  declare userAgent: CreationOptional<string | null>;
  declare ip: CreationOptional<string | null>;
  /** How often the session was refreshed. A token names the generation it belongs to. */
  declare generation: CreationOptional<number>;
  /** When the generation began; null in the first. */
  declare rotatedAt: CreationOptional<Date | null>;
  /** True once the generation was seen in use: whoever comes with the one before has no business any more. */
  declare acknowledged: CreationOptional<boolean>;
  /** When the user last proved again who they are; null if that was only when signing in. */
  declare authenticatedAt: CreationOptional<Date | null>;
  /** To the minute; null before the first request. */
  declare lastSeenAt: CreationOptional<Date | null>;
  /** When it ends unless it is refreshed before; when it ended. */
  declare expiresAt: Date;
  declare endedAt: CreationOptional<Date | null>;
  declare createdAt: CreationOptional<Date>;
  declare updatedAt: CreationOptional<Date>;

  declare user?: NonAttribute<User>;

  isLive(now: number): boolean {
    return this.endedAt === null && this.expiresAt.getTime() > now;
  }

  /** The same for a query. */
  static live(now: Date): WhereOptions<Session> {
    return { endedAt: null, expiresAt: { [Op.gt]: now } };
  }

  static define(sequelize: Sequelize) {
    this.init(
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
        lastSeenAt: DataTypes.DATE(3),
        expiresAt: { type: DataTypes.DATE(3), allowNull: false },
        endedAt: DataTypes.DATE(3),
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
        updatedAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      { sequelize, tableName: 'sessions', indexes: [{ fields: ['user_id'] }, { fields: ['expires_at'] }] },
    );
  }
}

/** Whether the user of a session proved who they are in the last so many minutes. Never true without a session: an API key proves nothing anew. */
export const isFresh = (session: Session | undefined, minutes: number): boolean =>
  session !== undefined && (session.authenticatedAt ?? session.createdAt).getTime() > Date.now() - minutes * 60_000;
