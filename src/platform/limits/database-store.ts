import { Op, QueryTypes } from 'sequelize';
import type { Db } from '#models/index';
import { skipCacheInvalidation } from '#src/platform/database/commits';
import { isConflict } from '#src/platform/database/errors';
import type { LimitStore, Rule } from '#src/platform/limits/store';

/** How often a hit is tried when the database undoes it because of a concurrent one. */
const MAX_ATTEMPTS = 4;

/** Counters in the table `limits`. */
export function databaseStore({ Limit, sequelize }: Db): LimitStore {
  /** One statement: true if it changed the row. */
  async function count(id: string, rule: Rule, now: number): Promise<boolean> {
    const sql = statementFor(rule, sequelize.getDialect() === 'sqlite');
    const how = { type: QueryTypes.INSERT, bind: { id, now }, ...skipCacheInvalidation } as const;
    const [, changed] = (await sequelize.query(sql, how)) as unknown as [unknown, number];
    return changed > 0;
  }

  return {
    async hit(id, rule, now) {
      for (let attempt = 1; ; attempt++) {
        try {
          if (await count(id, rule, now)) return 0;
          break;
        } catch (error) {
          if (!isConflict(error) || attempt === MAX_ATTEMPTS) throw error;
        }
      }
      const row = await Limit.findByPk(id, { attributes: ['opensAt'], raw: true });
      return row?.opensAt ?? now + 1000;
    },

    async forgive(id) {
      const where = { id, hits: { [Op.gt]: 0 } };
      const hits = sequelize.literal('hits - 1');
      await Limit.update({ hits }, { where, ...skipCacheInvalidation });
    },

    async forget(id) {
      await Limit.destroy({ where: { id }, ...skipCacheInvalidation });
    },
  };
}

/**
 * MySQL and MariaDB assign from left to right and see what they have assigned. SQLite sees the row as it was. A hit that
 * may change nothing shows as 0 affected rows: in MySQL and MariaDB because all values stay the same, in SQLite because
 * of the WHERE.
 */
function statementFor({ max, window, backoff }: Rule, sqlite: boolean): string {
  const end = `$now + ${window}`;
  const hits = sqlite ? '(CASE WHEN resets_at <= $now THEN 1 ELSE hits + 1 END)' : 'hits';
  const resets = sqlite
    ? `(CASE WHEN resets_at <= $now THEN ${end} ELSE resets_at END)`
    : 'resets_at';
  const full = `${hits} >= ${max}`;
  const until = (count: string) =>
    backoff ? `$now + ${pauseAfter(count, max, backoff)}` : undefined;
  const firstOpens = max > 1 ? '0' : (until('1') ?? end);
  const firstResets = max === 1 && backoff ? `$now + ${backoff.forget}` : end;
  return [
    `INSERT INTO limits (id, hits, opens_at, resets_at) VALUES ($id, 1, ${firstOpens}, ${firstResets})`,
    sqlite ? 'ON CONFLICT (id) DO UPDATE SET' : 'ON DUPLICATE KEY UPDATE',
    'hits = CASE WHEN opens_at > $now THEN hits WHEN resets_at <= $now THEN 1 ELSE hits + 1 END,',
    'resets_at = CASE WHEN opens_at > $now THEN resets_at',
    backoff ? `WHEN ${full} THEN $now + ${backoff.forget}` : '',
    `WHEN resets_at <= $now THEN ${end} ELSE resets_at END,`,
    'opens_at = CASE WHEN opens_at > $now THEN opens_at',
    `WHEN ${full} THEN ${until(hits) ?? resets} ELSE 0 END`,
    sqlite ? 'WHERE opens_at <= $now' : '',
  ].join(' ');
}

function pauseAfter(hits: string, max: number, { from, to }: NonNullable<Rule['backoff']>): string {
  const doublings = Math.ceil(Math.log2(to / from));
  return `CASE WHEN ${hits} >= ${max + doublings} THEN ${to} ELSE ${from} << (${hits} - ${max}) END`;
}
