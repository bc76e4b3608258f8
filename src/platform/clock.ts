import { QueryTypes, type Sequelize } from 'sequelize';

/** The one clock of an instance: the time that all nodes on a database share. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** The time so many milliseconds from now. */
  date(offsetMs?: number): Date;
  /**
   * Learns by how much the clock of the database differs from this machine's. Nodes whose clocks differ must not take a
   * second tab for a thief. An embedded database has the clock of this machine.
   */
  synchronise(): Promise<void>;
}

/** `aheadMs`: how far its time is ahead of the real one. A rehearsal lets days pass with it. */
export function createClock(sequelize: Sequelize, aheadMs = () => 0): Clock {
  let ahead = 0;
  const now = () => Date.now() + ahead + aheadMs();
  return {
    now,
    date: (offsetMs = 0) => new Date(now() + offsetMs),
    async synchronise() {
      if (sequelize.getDialect() === 'sqlite') return;
      const asked = Date.now();
      const [row] = await sequelize.query<{ now: string }>('SELECT UNIX_TIMESTAMP(NOW(3)) AS now', {
        type: QueryTypes.SELECT,
      });
      ahead = Math.round(Number(row!.now) * 1000 - (asked + Date.now()) / 2);
    },
  };
}

/** The time of this machine, RFC 3339 in UTC: for what is not compared with times of the database. */
export const isoTime = (): string => new Date().toISOString();

/** The same at the price of a number: the text of a second is made once, for all lines of the log in it. */
export function createTimeText(): (ms?: number) => string {
  let second: number | undefined;
  let text = '';
  return (ms = Date.now()) => {
    const its = Math.floor(ms / 1000);
    if (its !== second) text = new Date(ms).toISOString().slice(0, -4);
    second = its;
    return `${text}${String(ms - its * 1000).padStart(3, '0')}Z`;
  };
}
