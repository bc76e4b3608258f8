import { DataTypes, type Sequelize } from 'sequelize';

interface DateType {
  stringify(date: Date, options: { timezone: string }): string;
}

/** A time as the columns of the models hold it, for a statement that is written by hand. */
export function boundDate(sequelize: Sequelize, date: Date): string {
  const type = (sequelize as unknown as { normalizeDataType(type: unknown): DateType })
    // precision 3, as in every model
    .normalizeDataType(DataTypes.DATE(3));
  return type.stringify(date, { timezone: '+00:00' });
}
