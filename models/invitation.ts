import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

/** Somebody who was asked to join, and has not answered yet. An address has one invitation at most. */
export class Invitation extends Model<
  InferAttributes<Invitation>,
  InferCreationAttributes<Invitation>
> {
  declare id: string;
  declare email: string;
  declare emailCanonical: string;
  declare name: CreationOptional<string | null>;
  /** Names of the roles that the user will have, separated by spaces. */
  declare roles: string;
  /** Of the token in the mail: see `one-time-tokens`. Null: the link is void, and another mail can be sent. */
  declare digest: CreationOptional<string | null>;
  /** Who invites. Null: an operator at the command line, or the app. Without its inviter it is deleted. */
  declare invitedBy: CreationOptional<string | null>;
  declare expiresAt: Date;
  declare createdAt: CreationOptional<Date>;

  static define(sequelize: Sequelize): typeof Invitation {
    return (class extends Invitation {} as typeof Invitation).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        email: { type: DataTypes.STRING(254), allowNull: false },
        emailCanonical: { type: DataTypes.STRING(254), allowNull: false, unique: true },
        name: DataTypes.STRING(100),
        roles: { type: DataTypes.STRING(1300), allowNull: false },
        digest: { type: DataTypes.CHAR(64), unique: true },
        invitedBy: DataTypes.CHAR(36),
        expiresAt: { type: DataTypes.DATE(3), allowNull: false },
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      {
        sequelize,
        modelName: 'Invitation',
        tableName: 'invitations',
        updatedAt: false,
        indexes: [{ fields: ['invited_by'] }, { fields: ['expires_at'] }],
      },
    );
  }
}
