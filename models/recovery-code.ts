import {
  DataTypes,
  Model,
  type CreationOptional,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

/** A code that stands in for a second factor, once. Only its digest is stored. It is deleted when it is used. */
export class RecoveryCode extends Model<
  InferAttributes<RecoveryCode>,
  InferCreationAttributes<RecoveryCode>
> {
  declare id: string;
  declare userId: string;
  /** SHA-256 of the code and of its user, in hex. No key is in it, so it is good under any APP_SECRET. */
  declare digest: string;
  declare createdAt: CreationOptional<Date>;

  static define(sequelize: Sequelize): typeof RecoveryCode {
    return (class extends RecoveryCode {} as typeof RecoveryCode).init(
      {
        id: { type: DataTypes.CHAR(36), primaryKey: true },
        userId: { type: DataTypes.CHAR(36), allowNull: false },
        digest: { type: DataTypes.CHAR(64), allowNull: false },
        createdAt: { type: DataTypes.DATE(3), allowNull: false },
      },
      {
        sequelize,
        modelName: 'RecoveryCode',
        tableName: 'recovery_codes',
        updatedAt: false,
        indexes: [{ fields: ['user_id', 'digest'], unique: true }],
      },
    );
  }
}
