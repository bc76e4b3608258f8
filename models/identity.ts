import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type NonAttribute,
  type Sequelize,
} from 'sequelize';
import type { User } from '#models/user';

/** A user as a provider knows them. The key is the provider's subject, never an e-mail address: addresses change hands. */
export class Identity extends Model<InferAttributes<Identity>, InferCreationAttributes<Identity>> {
  declare id: string;
  declare userId: string;
  /** The name of a file in strategies/. */
  declare provider: string;
  declare subject: string;
  /** As the provider told it when the identity was linked. It is for display only. */
  declare email: CreationOptional<string | null>;
  /** What the provider wants back when the user is deleted, encrypted: see `src/provider-grants`. */
  declare sealedGrant: CreationOptional<string | null>;
  declare createdAt: CreationOptional<Date>;

  declare user?: NonAttribute<User>;

  static define(sequelize: Sequelize): typeof Identity {
    return (class extends Identity {} as typeof Identity).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        userId: { type: DataTypes.CHAR(36), allowNull: false },
        provider: { type: DataTypes.STRING(64), allowNull: false },
        subject: { type: DataTypes.STRING(512), allowNull: false },
        email: DataTypes.STRING(254),
        sealedGrant: DataTypes.TEXT,
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      {
        sequelize,
        modelName: 'Identity',
        tableName: 'identities',
        updatedAt: false,
        indexes: [{ fields: ['provider', 'subject'], unique: true }, { fields: ['user_id'] }],
      },
    );
  }
}
