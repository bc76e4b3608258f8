import { Op, QueryTypes } from 'sequelize';
import type { Db } from '#models/index';
import { skipCacheInvalidation } from '#src/platform/database/commits';
import { hitStatement, takeBackStatement } from '#src/platform/limits/statements';
import type { Counter, LimitStore, Refusal } from '#src/platform/limits/store';

/** More hits than any rule allows. */
const EVERY_HIT = 1e9;

/** Counters in the table `limits`. All that a request counts is one statement, and one commit. */
export function databaseStore({ Limit, sequelize }: Db): LimitStore {
  const sqlite = sequelize.getDialect() === 'sqlite';
  const type = sqlite ? QueryTypes.SELECT : QueryTypes.INSERT;

  const run = (sql: string, bind: Record<string, unknown>): Promise<unknown> =>
    sequelize.query(sql, { type, bind, raw: true, ...skipCacheInvalidation });

  /** The first counter that refused, of those that a statement was about. */
  function refusedIn(answer: unknown, counters: readonly Counter[]): number {
    if (!sqlite) {
      const [marked] = answer as [number | string];
      return counters.findIndex(({ id }) => markOf(id) === Number(marked));
    }
    const accepted = new Set((answer as { id: string }[]).map(({ id }) => id));
    return counters.findIndex(({ id }) => !accepted.has(id));
  }

  async function takeBack(changes: readonly [Counter, number][], opensUntil: number) {
    if (changes.length === 0) return;
    const bind: Record<string, unknown> = { until: opensUntil };
    changes.forEach(([{ id, rule }, drop], i) =>
      Object.assign(bind, { [`id${i}`]: id, [`max${i}`]: rule.max, [`drop${i}`]: drop }),
    );
    await run(takeBackStatement(changes.length, sqlite), bind);
  }

  return {
    async hit(counters, now): Promise<Refusal | undefined> {
      if (counters.length === 0) return undefined;
      const answer = await run(hitStatement(counters.length, sqlite), bindOf(counters, now));
      const index = refusedIn(answer, counters);
      if (index === -1) return undefined;
      // What is closed now has refused this hit, too, or took it as its last: that one it keeps.
      await takeBack(
        counters.slice(index + 1).map((counter) => [counter, 1]),
        now,
      );
      const row = await Limit.findByPk(counters[index]!.id, { attributes: ['opensAt'], raw: true });
      return { index, opensAt: row?.opensAt ?? now + 1000 };
    },

    takeBack: (counters, all = []) =>
      takeBack(
        [
          ...counters.map((counter) => [counter, 1] as [Counter, number]),
          ...all.map((counter) => [counter, EVERY_HIT] as [Counter, number]),
        ],
        Number.MAX_SAFE_INTEGER,
      ),

    async read(ids, now) {
      const where = { id: [...ids], resetsAt: { [Op.gt]: now } };
      const rows = await Limit.findAll({ where, raw: true });
      return new Map(rows.map(({ id, hits, opensAt }) => [id, { hits, opensAt }]));
    },

    async forget(ids) {
      await Limit.destroy({ where: { id: [...ids] }, ...skipCacheInvalidation });
    },
  };
}

/** How MySQL and MariaDB name the counter that refused: the number of its first 48 bits. */
const markOf = (id: string): number => Number.parseInt(id.slice(0, 12), 16);

/** The values of a hit. */
function bindOf(counters: readonly Counter[], now: number): Record<string, unknown> {
  const bind: Record<string, unknown> = { now };
  counters.forEach(({ id, rule: { max, window, backoff } }, i) => {
    const { from = 0, to = 0, forget = 0 } = backoff ?? {};
    const end = now + window;
    Object.assign(bind, {
      [`id${i}`]: id,
      [`max${i}`]: max,
      [`end${i}`]: end,
      [`from${i}`]: from,
      [`to${i}`]: to,
      [`doublings${i}`]: from > 0 ? Math.ceil(Math.log2(to / from)) : 0,
      [`forget${i}`]: now + forget,
      [`opens${i}`]: max > 1 ? 0 : from > 0 ? now + from : end,
      [`resets${i}`]: max === 1 && from > 0 ? now + forget : end,
    });
  });
  return bind;
}
