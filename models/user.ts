import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type NonAttribute,
  type Sequelize,
} from 'sequelize';
import type { Role } from '#models/role';
import type { Session } from '#models/session';

/** No user has this id: asking for it costs what asking for a user does, where nobody may learn whether there is one. */
export const NOBODY = '00000000-0000-0000-0000-000000000000';

/** Somebody who can sign in. Names are kept as they were typed and, for finding and comparing, in canonical form. */
export class User extends Model<InferAttributes<User>, InferCreationAttributes<User>> {
  declare id: string;
  declare username: CreationOptional<string | null>;
  declare usernameCanonical: CreationOptional<string | null>;
  declare email: CreationOptional<string | null>;
  declare emailCanonical: CreationOptional<string | null>;
  declare emailVerifiedAt: CreationOptional<Date | null>;
  declare passwordHash: CreationOptional<string | null>;
  declare name: CreationOptional<string | null>;
  declare disabledAt: CreationOptional<Date | null>;
  declare createdAt: CreationOptional<Date>;
  declare updatedAt: CreationOptional<Date>;

  declare roles?: NonAttribute<Role[]>;
  /** The session that this user came in by, if it was one. */
  declare session?: NonAttribute<Session>;

  /** The roles that this user's credential may use, if not all of them. See `models/api-key`. */
  declare scopes?: NonAttribute<string[]>;

  /** Names of the roles that were loaded with the user. Throws if none were asked for: a guard must never guess. */
  get roleNames(): NonAttribute<string[]> {
    if (!this.roles) throw new Error('Load the user with its roles before asking for them.');
    const names = this.roles.map((role) => role.name).sort();
    return this.scopes ? names.filter((name) => this.scopes!.includes(name)) : names;
  }

  hasRole(name: string): boolean {
    return this.roleNames.includes(name);
  }

  /** Has more rights than everybody: such a user is not given away, nor removed, for an address. */
  get isMoreThanUser(): NonAttribute<boolean> {
    return this.roleNames.some((name) => name !== 'user');
  }

  static define(sequelize: Sequelize) {
    this.init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        username: DataTypes.STRING(64),
        usernameCanonical: { type: DataTypes.STRING(64), unique: true },
        email: DataTypes.STRING(254),
        emailCanonical: { type: DataTypes.STRING(254), unique: true },
        emailVerifiedAt: DataTypes.DATE(3),
        passwordHash: DataTypes.STRING(255),
        name: DataTypes.STRING(100),
        disabledAt: DataTypes.DATE(3),
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
        updatedAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      { sequelize, tableName: 'users' },
    );
  }
}
