import type { Context } from '#src/context';
import { DAY_MS } from '#src/lifetimes';
import { boundDate } from '#src/platform/database/bound-date';

/** No more rows are counted, so that the answer comes soon however large the tables are. */
const MOST_ROWS = 100_000;
/** Of each kind of event so many are read, the newest. */
const MOST_EVENTS = 20_000;

/** A number of rows. */
interface Count {
  value: number;
  /** False: there are more. */
  isExact: boolean;
}
interface SignIns {
  strategy: string;
  succeeded: number;
  challenged: number;
  refused: number;
}
interface DayStats {
  /** In UTC: `2026-11-27`. */
  day: string;
  signIns: SignIns[];
  limits: { limit: string; reached: number }[];
}
export interface Stats {
  users: Count;
  /** Sessions that have not ended or expired. */
  sessions: Count;
  /** Mails that wait to be sent. */
  mails: Count;
  /** Days on which something happened, oldest first. */
  days: DayStats[];
  /** False: there were too many events to read all. Then the oldest days are missing, or say too little. */
  isComplete: boolean;
}

// A range of the primary key, not a scan of the table.
const countOf = (table: string) =>
  `SELECT COUNT(*) AS seen, COUNT(*) AS n FROM (SELECT id FROM ${table} WHERE id > $1 LIMIT ${MOST_ROWS + 1}) counted`;
const USERS = countOf('users');
const MAILS = countOf('outgoing_mails');
/** Of the newest ones, those that live. */
const SESSIONS = `SELECT COUNT(*) AS seen, SUM(CASE WHEN ended_at IS NULL AND expires_at > $1 THEN 1 ELSE 0 END) AS n
  FROM (SELECT ended_at, expires_at FROM sessions WHERE id > $2 ORDER BY id DESC LIMIT ${MOST_ROWS + 1}) counted`;

const byDay = (field: string) =>
  `SELECT substr(created_at, 1, 10) AS on_day,
  CASE WHEN json_valid(details) THEN json_extract(details, '$.${field}') END AS name, COUNT(*) AS n
  FROM (SELECT created_at, details FROM audit_entries WHERE type = $1 AND id > $2 ORDER BY id DESC LIMIT ${MOST_EVENTS}) newest
  GROUP BY on_day, name`;
const BY_STRATEGY = byDay('strategy');
const BY_LIMIT = byDay('limit');

interface Row {
  on_day: string;
  name: string | null;
  n: number;
}
const OUTCOMES = {
  'session.started': 'succeeded',
  'session.challenged': 'challenged',
  'session.refused': 'refused',
} as const;

/** What the server holds, and what happened in the last days. Reads a bounded number of rows. */
export async function readStats(ctx: Context, days: number): Promise<Stats> {
  const { db, clock } = ctx;
  const today = Math.floor(clock.now() / DAY_MS) * DAY_MS;
  const since = firstId(today - (days - 1) * DAY_MS);
  const byDay = new Map<string, DayStats>();
  let isComplete = true;
  const eachRow = async (sql: string, type: string, use: (day: DayStats, row: Row) => void) => {
    const rows = await db.select<Row>(sql, [type, since]);
    if (rows.reduce((sum, { n }) => sum + n, 0) === MOST_EVENTS) isComplete = false;
    for (const row of rows) use(dayIn(byDay, row.on_day), row);
  };
  for (const [type, outcome] of Object.entries(OUTCOMES))
    await eachRow(BY_STRATEGY, type, ({ signIns }, row) => {
      strategyIn(signIns, nameIn(row))[outcome] += row.n;
    });
  await eachRow(BY_LIMIT, 'limit.reached', ({ limits }, row) => {
    limits.push({ limit: nameIn(row), reached: row.n });
  });
  return {
    users: await count(ctx, USERS, ''),
    sessions: await count(ctx, SESSIONS, boundDate(db.sequelize, clock.date()), ''),
    mails: await count(ctx, MAILS, ''),
    days: [...byDay.values()].sort((a, b) => (a.day < b.day ? -1 : 1)).map(inOrder),
    isComplete,
  };
}

async function count({ db }: Context, sql: string, ...bind: string[]): Promise<Count> {
  const [row] = await db.select<{ seen: number; n: number | string | null }>(sql, bind);
  const { seen, n } = row!;
  return { value: Math.min(Number(n), MOST_ROWS), isExact: seen <= MOST_ROWS };
}

/** Ids are of version 7: they begin with the time, in milliseconds. What is made from then on has a larger one. */
function firstId(time: number): string {
  const hex = time.toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}

/** MySQL and MariaDB answer JSON: `"local"`. */
const nameIn = ({ name }: Row): string => (name ?? 'unknown').replace(/^"(.*)"$/, '$1');

function dayIn(byDay: Map<string, DayStats>, day: string): DayStats {
  const known = byDay.get(day) ?? { day, signIns: [], limits: [] };
  byDay.set(day, known);
  return known;
}

function strategyIn(signIns: SignIns[], strategy: string): SignIns {
  const known = signIns.find((each) => each.strategy === strategy);
  if (known) return known;
  const added = { strategy, succeeded: 0, challenged: 0, refused: 0 };
  signIns.push(added);
  return added;
}

const inOrder = ({ day, signIns, limits }: DayStats): DayStats => ({
  day,
  signIns: signIns.toSorted((a, b) => (a.strategy < b.strategy ? -1 : 1)),
  limits: limits.toSorted((a, b) => (a.limit < b.limit ? -1 : 1)),
});
