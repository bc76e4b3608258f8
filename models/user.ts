import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type NonAttribute,
  type Sequelize,
} from 'sequelize';
import { TURN } from '#models/turn';
import type { Role } from '#models/role';
import type { Session } from '#models/session';

/** Where a session was started or last refreshed. */
export type SessionOrigin = Pick<
  Session,
  'ip' | 'deviceKind' | 'deviceName' | 'devicePlatform' | 'userAgent'
>;

export interface KnownSessions {
  /** Where the newest sessions came from, each origin once. Some may have ended. */
  readonly origins: readonly SessionOrigin[];
  /** Ids of the live sessions that are too many when another one is started. */
  readonly excess: readonly string[];
}

/** The id of no user. A query for it costs what a query for a user costs, so time does not tell whether a user exists. */
export const NOBODY = '00000000-0000-0000-0000-000000000000';

/** A user. Names are stored as they were typed, and in the canonical form by which they are found and compared. */
export class User extends Model<InferAttributes<User>, InferCreationAttributes<User>> {
  declare id: string;
  declare username: CreationOptional<string | null>;
  declare usernameCanonical: CreationOptional<string | null>;
  declare email: CreationOptional<string | null>;
  declare emailCanonical: CreationOptional<string | null>;
  declare emailVerifiedAt: CreationOptional<Date | null>;
  declare passwordHash: CreationOptional<string | null>;
  declare name: CreationOptional<string | null>;
  /** The language that the user has chosen. Null: none. */
  declare locale: CreationOptional<string | null>;
  declare disabledAt: CreationOptional<Date | null>;
  /** How many confirmed second factors the user has. It changes together with them, by whoever has the turn of this row. */
  declare factors: CreationOptional<number>;
  /** Goes up when somebody must be alone with the row: see `takeTurn`. */
  declare turn: CreationOptional<number>;
  declare createdAt: CreationOptional<Date>;
  declare updatedAt: CreationOptional<Date>;

  declare roles?: NonAttribute<Role[]>;
  /** What a sign-in knows of the sessions so far, as of the reading of this row. Undefined if they were not read. */
  declare knownSessions?: NonAttribute<KnownSessions>;
  /** Sorted names of the roles that were loaded. @throws {Error} if the roles were not loaded: a guard must never guess. */
  get roleNames(): NonAttribute<string[]> {
    if (!this.roles) throw new Error('Load the user with its roles before asking for them.');
    return this.roles.map((role) => role.name).sort();
  }

  /** True with any role beyond `user`. Such a user is never taken over, nor deleted, because of an e-mail address. */
  get isMoreThanUser(): NonAttribute<boolean> {
    return this.roleNames.some((name) => name !== 'user');
  }

  static define(sequelize: Sequelize): typeof User {
    return (class extends User {} as typeof User).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        username: DataTypes.STRING(64),
        usernameCanonical: { type: DataTypes.STRING(64), unique: true },
        email: DataTypes.STRING(254),
        emailCanonical: { type: DataTypes.STRING(254), unique: true },
        emailVerifiedAt: DataTypes.DATE(3),
        passwordHash: DataTypes.STRING(255),
        name: DataTypes.STRING(100),
        locale: DataTypes.STRING(35),
        disabledAt: DataTypes.DATE(3),
        factors: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
        turn: TURN,
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
        updatedAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      {
        sequelize,
        modelName: 'User',
        tableName: 'users',
        indexes: [{ fields: ['created_at', 'id'] }],
      },
    );
  }
}
