import {
  DataTypes,
  Model,
  type InferAttributes,
  type InferCreationAttributes,
  type Sequelize,
} from 'sequelize';

/** A rate-limit counter. Times are in milliseconds since 1970, on the clock that all nodes share. */
export class Limit extends Model<InferAttributes<Limit>, InferCreationAttributes<Limit>> {
  /** A keyed digest of the limit and the subject. Neither names nor addresses are stored. */
  declare id: string;
  declare hits: number;
  /** From then on the next try is allowed. 0 while there are tries left. */
  declare opensAt: number;
  /** From then on the counter starts anew. */
  declare resetsAt: number;

  static define(sequelize: Sequelize): typeof Limit {
    return (class extends Limit {} as typeof Limit).init(
      {
        id: { type: DataTypes.CHAR(32), primaryKey: true },
        hits: { type: DataTypes.INTEGER, allowNull: false },
        opensAt: { type: DataTypes.BIGINT, allowNull: false },
        resetsAt: { type: DataTypes.BIGINT, allowNull: false },
      },
      {
        sequelize,
        modelName: 'Limit',
        tableName: 'limits',
        timestamps: false,
        indexes: [{ fields: ['resets_at'] }],
      },
    );
  }
}
