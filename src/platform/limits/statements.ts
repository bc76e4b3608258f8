// The SQL of the counters. A text depends on the number of counters only: it is prepared once, and all values are bound.

const each = (n: number) => Array.from({ length: n }, (_, i) => n - 1 - i);
/** The value of this row among those that are bound for all of them. */
const own = (name: string, n: number) =>
  n === 1
    ? `$${name}0`
    : `(CASE id ${each(n)
        .map((i) => `WHEN $id${i} THEN $${name}${i}`)
        .join(' ')} END)`;

/**
 * Counts a hit in `n` counters. MySQL and MariaDB assign from left to right and see what they have assigned. SQLite sees
 * the row as it was.
 *
 * SQLite answers the ids of the rows that accepted the hit. MySQL and MariaDB answer in LAST_INSERT_ID, which comes with
 * the result at no cost, which row refused it, or 0. Of several it is the one that was asked last, so the first counter
 * stands last.
 */
export function hitStatement(n: number, sqlite: boolean): string {
  const [max, from, to] = [own('max', n), own('from', n), own('to', n)];
  const hits = sqlite ? '(CASE WHEN resets_at <= $now THEN 1 ELSE hits + 1 END)' : 'hits';
  const resets = sqlite
    ? `(CASE WHEN resets_at <= $now THEN ${own('end', n)} ELSE resets_at END)`
    : 'resets_at';
  const refuse = sqlite
    ? 'hits'
    : 'CASE WHEN LAST_INSERT_ID(CONV(LEFT(id, 12), 16, 10)) >= 0 THEN hits END';
  const pause = `CASE WHEN ${hits} >= ${max} + ${own('doublings', n)} THEN ${to} ELSE ${from} * (1 << (${hits} - ${max})) END`;
  return [
    'INSERT INTO limits (id, hits, opens_at, resets_at) VALUES',
    each(n)
      .map((i) => `($id${i}, 1, $opens${i}, $resets${i})`)
      .join(', '),
    sqlite ? 'ON CONFLICT (id) DO UPDATE SET' : 'ON DUPLICATE KEY UPDATE',
    `hits = CASE WHEN opens_at > $now THEN ${refuse} WHEN resets_at <= $now THEN 1 ELSE hits + 1 END,`,
    'resets_at = CASE WHEN opens_at > $now THEN resets_at',
    `WHEN ${from} > 0 AND ${hits} >= ${max} THEN ${own('forget', n)}`,
    `WHEN resets_at <= $now THEN ${own('end', n)} ELSE resets_at END,`,
    'opens_at = CASE WHEN opens_at > $now THEN opens_at',
    `WHEN ${hits} < ${max} THEN 0 WHEN ${from} > 0 THEN $now + ${pause} ELSE ${resets} END`,
    sqlite ? 'WHERE opens_at <= $now RETURNING id' : '',
  ].join(' ');
}

/** Takes back up to `drop` hits from each of `n` counters that is open or opens until `$until`. It locks them as a hit does. */
export function takeBackStatement(n: number, sqlite: boolean): string {
  const drop = own('drop', n);
  const due = 'opens_at <= $until';
  return [
    'INSERT INTO limits (id, hits, opens_at, resets_at) VALUES',
    each(n)
      .map((i) => `($id${i}, 0, 0, 0)`)
      .join(', '),
    sqlite ? 'ON CONFLICT (id) DO UPDATE SET' : 'ON DUPLICATE KEY UPDATE',
    `resets_at = CASE WHEN ${due} AND ${drop} > 1 THEN 0 ELSE resets_at END,`,
    `hits = CASE WHEN NOT ${due} THEN hits WHEN hits > ${drop} THEN hits - ${drop} ELSE 0 END,`,
    // MySQL and MariaDB have changed the hits by now.
    `opens_at = CASE WHEN ${due} AND ${sqlite ? `hits - ${drop}` : 'hits'} < ${own('max', n)} THEN 0 ELSE opens_at END`,
    sqlite ? 'RETURNING id' : '',
  ].join(' ');
}
