import { DataTypes } from 'sequelize';

/** The column that two callers write who must take turns. See `src/platform/database/take-turn`. */
export const TURN = { type: DataTypes.BIGINT, allowNull: false, defaultValue: 0 } as const;
