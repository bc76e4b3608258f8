import { DataTypes, Model, type CreationOptional, type InferAttributes, type InferCreationAttributes, type Sequelize } from 'sequelize';

/** Something that may be done once: what was handed out is not kept, only its digest. */
export class OneTimeToken extends Model<InferAttributes<OneTimeToken>, InferCreationAttributes<OneTimeToken>> {
  /** SHA-256 of purpose and token, in hex. */
  declare digest: string;
  declare purpose: string;
  declare userId: CreationOptional<string | null>;
  /** Whose it is who has signed up and is no user yet. What outlives its sign-up is good for nothing. */
  declare signUpId: CreationOptional<string | null>;
  /** What it stands for, sealed. */
  declare data: CreationOptional<string | null>;
  /** How often somebody has guessed at the short code that goes with it. */
  declare tries: CreationOptional<number>;
  declare expiresAt: Date;
  declare createdAt: CreationOptional<Date>;

  static define(sequelize: Sequelize) {
    this.init(
      {
        digest: { type: DataTypes.CHAR(64), primaryKey: true },
        purpose: { type: DataTypes.STRING(32), allowNull: false },
        userId: DataTypes.CHAR(36),
        signUpId: DataTypes.CHAR(36),
        data: DataTypes.TEXT,
        tries: { type: DataTypes.INTEGER, allowNull: false, defaultValue: 0 },
        expiresAt: { type: DataTypes.DATE(3), allowNull: false },
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      {
        sequelize,
        tableName: 'one_time_tokens',
        updatedAt: false,
        indexes: [{ fields: ['user_id', 'purpose'] }, { fields: ['sign_up_id'] }, { fields: ['expires_at'] }],
      },
    );
  }
}
