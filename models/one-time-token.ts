import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

/** A token that may be used once. Only its digest is stored. */
export class OneTimeToken extends Model<
  InferAttributes<OneTimeToken>,
  InferCreationAttributes<OneTimeToken>
> {
  /** SHA-256 of purpose and token, in hex. */
  declare digest: string;
  declare purpose: string;
  declare userId: CreationOptional<string | null>;
  /** The sign-up it belongs to, while there is no user yet. Without its sign-up it is void. */
  declare signUpId: CreationOptional<string | null>;
  /** What it grants, encrypted under APP_SECRET. */
  declare data: CreationOptional<string | null>;
  /** Guesses so far at the short code that belongs to it. */
  declare attempts: CreationOptional<number>;
  declare expiresAt: Date;
  declare createdAt: CreationOptional<Date>;

  static define(sequelize: Sequelize): typeof OneTimeToken {
    return (class extends OneTimeToken {} as typeof OneTimeToken).init(
      {
        digest: { type: DataTypes.CHAR(64), primaryKey: true },
        purpose: { type: DataTypes.STRING(32), allowNull: false },
        userId: DataTypes.CHAR(36),
        signUpId: DataTypes.CHAR(36),
        data: DataTypes.TEXT,
        attempts: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0, field: 'tries' },
        expiresAt: { type: DataTypes.DATE(3), allowNull: false },
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      {
        sequelize,
        modelName: 'OneTimeToken',
        tableName: 'one_time_tokens',
        updatedAt: false,
        indexes: [
          { fields: ['user_id', 'purpose'] },
          { fields: ['sign_up_id'] },
          { fields: ['expires_at'] },
        ],
      },
    );
  }
}
