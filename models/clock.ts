import { QueryTypes, type Sequelize } from 'sequelize';

/** By how much the database's clock is ahead of ours, in milliseconds. */
let ahead = 0;

/**
 * Learns what time it is for all who share the database: nodes whose clocks differ must not take a second tab for a thief.
 * An embedded database has the clock of this machine.
 */
export async function setClock(sequelize: Sequelize): Promise<void> {
  if (sequelize.getDialect() === 'sqlite') return;
  const asked = Date.now();
  const [row] = await sequelize.query<{ now: string }>('SELECT UNIX_TIMESTAMP(NOW(3)) AS now', { type: QueryTypes.SELECT });
  ahead = Math.round(Number(row!.now) * 1000 - (asked + Date.now()) / 2);
}

/** The time that all nodes agree on, for comparing with what another one wrote. */
export const sharedTime = (): Date => new Date(Date.now() + ahead);
