import { DataTypes, Model, Op, QueryTypes, type InferAttributes, type InferCreationAttributes, type Sequelize } from 'sequelize';
import { unnoticed } from '#models/commits';
import { isConflict } from '#models/database';

/**
 * So many hits in a window of so many milliseconds; then none until it is over. With `backoff`, one after each pause instead: `from`
 * after the last free hit, twice as long after each further one, `to` at most. Such a counter forgets after `forget` without a hit.
 */
export interface Rule {
  max: number;
  window: number;
  backoff?: { from: number; to: number; forget: number };
}

/** How often something was tried. Times are in milliseconds since 1970, on the clock that all nodes share. */
export class Limit extends Model<InferAttributes<Limit>, InferCreationAttributes<Limit>> {
  /** Of what and whom: a keyed digest. Neither names nor addresses are stored. */
  declare id: string;
  declare hits: number;
  /** From then on one may try again; 0 while there are hits left. */
  declare opensAt: number;
  /** From then on nothing of it counts. */
  declare resetsAt: number;

  /** Counts a hit. 0 if it was within the rule, else the time from when on one may try again. Of many at once exactly so many are. */
  static async hit(id: string, rule: Rule, now: number): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (await this.#count(id, rule, now)) return 0;
        break;
      } catch (error) {
        if (!isConflict(error) || attempt === 4) throw error;
      }
    }
    return (await this.findByPk(id, { attributes: ['opensAt'], raw: true }))?.opensAt ?? now + 1000;
  }

  /** One statement: true if it changed the row. */
  static async #count(id: string, rule: Rule, now: number): Promise<boolean> {
    const sequelize = this.sequelize!;
    const sql = statementFor(rule, sequelize.getDialect() === 'sqlite');
    // Nobody's session depends on it: see `unnoticed` in models/commits.
    const how = { type: QueryTypes.INSERT, bind: { id, now }, unnoticed: true } as const;
    const [, changed] = (await sequelize.query(sql, how)) as unknown as [unknown, number];
    return changed > 0;
  }

  /** Takes a hit back that was none. */
  static async forgive(id: string): Promise<void> {
    await this.update({ hits: this.sequelize!.literal('hits - 1') }, { where: { id, hits: { [Op.gt]: 0 } }, ...unnoticed });
  }

  static async forget(id: string): Promise<void> {
    await this.destroy({ where: { id }, ...unnoticed });
  }

  static define(sequelize: Sequelize) {
    this.init(
      {
        id: { type: DataTypes.CHAR(32), primaryKey: true },
        hits: { type: DataTypes.INTEGER, allowNull: false },
        opensAt: { type: DataTypes.BIGINT, allowNull: false },
        resetsAt: { type: DataTypes.BIGINT, allowNull: false },
      },
      { sequelize, tableName: 'limits', timestamps: false, indexes: [{ fields: ['resets_at'] }] },
    );
  }
}

/**
 * MySQL and MariaDB assign from left to right and see what they have assigned, SQLite sees the row as it was. Where nothing may
 * change, the former say so by 0 affected rows, the latter by its WHERE.
 */
function statementFor({ max, window, backoff }: Rule, sqlite: boolean): string {
  const end = `$now + ${window}`;
  const hits = sqlite ? '(CASE WHEN resets_at <= $now THEN 1 ELSE hits + 1 END)' : 'hits';
  const resets = sqlite ? `(CASE WHEN resets_at <= $now THEN ${end} ELSE resets_at END)` : 'resets_at';
  const full = `${hits} >= ${max}`;
  const until = (count: string) => (backoff ? `$now + ${pauseAfter(count, max, backoff)}` : undefined);
  const first = max > 1 ? '0' : (until('1') ?? end);
  return [
    `INSERT INTO limits (id, hits, opens_at, resets_at) VALUES ($id, 1, ${first}, ${max === 1 && backoff ? `$now + ${backoff.forget}` : end})`,
    sqlite ? 'ON CONFLICT (id) DO UPDATE SET' : 'ON DUPLICATE KEY UPDATE',
    'hits = CASE WHEN opens_at > $now THEN hits WHEN resets_at <= $now THEN 1 ELSE hits + 1 END,',
    'resets_at = CASE WHEN opens_at > $now THEN resets_at',
    backoff ? `WHEN ${full} THEN $now + ${backoff.forget}` : '',
    `WHEN resets_at <= $now THEN ${end} ELSE resets_at END,`,
    `opens_at = CASE WHEN opens_at > $now THEN opens_at WHEN ${full} THEN ${until(hits) ?? resets} ELSE 0 END`,
    sqlite ? 'WHERE opens_at <= $now' : '',
  ].join(' ');
}

function pauseAfter(hits: string, max: number, { from, to }: NonNullable<Rule['backoff']>): string {
  const doublings = Math.ceil(Math.log2(to / from));
  return `CASE WHEN ${hits} >= ${max + doublings} THEN ${to} ELSE ${from} << (${hits} - ${max}) END`;
}
