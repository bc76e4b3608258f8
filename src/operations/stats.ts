import type { Context } from '#src/context';
import { DAY_MS, HOUR_MS } from '#src/lifetimes';
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
interface Happened {
  signIns: SignIns[];
  limits: { limit: string; reached: number }[];
}
/** In UTC: `2026-11-27`. */
type DayStats = { day: string } & Happened;
/** When it began. */
type HourStats = { hour: Date } & Happened;
export interface Stats {
  users: Count;
  /** Sessions that have not ended or expired. */
  sessions: Count;
  /** Mails that wait to be sent. */
  mails: Count;
  /** Days on which something happened, oldest first. */
  days: DayStats[];
  /** Hours in which something happened, oldest first. */
  hours: HourStats[];
  /** False: there were too many events to read all. Then the oldest days and hours are missing, or say too little. */
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

/** The beginning of a time as databases write it: `2026-11-27 14`. */
const HOUR_LENGTH = 13;
const DAY_LENGTH = 10;
const byHour = (field: string) =>
  `SELECT substr(created_at, 1, ${HOUR_LENGTH}) AS in_hour,
  CASE WHEN json_valid(details) THEN json_extract(details, '$.${field}') END AS name, COUNT(*) AS n
  FROM (SELECT created_at, details FROM audit_entries WHERE type = $1 AND id > $2 ORDER BY id DESC LIMIT ${MOST_EVENTS}) newest
  GROUP BY in_hour, name`;
const BY_STRATEGY = byHour('strategy');
const BY_LIMIT = byHour('limit');

interface Row {
  in_hour: string;
  name: string | null;
  n: number;
}
const OUTCOMES = {
  'session.started': 'succeeded',
  'session.challenged': 'challenged',
  'session.refused': 'refused',
} as const;

/** What the server holds, and what happened in the last days and hours. Reads a bounded number of rows. */
export async function readStats(ctx: Context, days: number, hours = 24): Promise<Stats> {
  const { db, clock } = ctx;
  const firstDay = Math.floor(clock.now() / DAY_MS - (days - 1)) * DAY_MS;
  const firstHour = Math.floor(clock.now() / HOUR_MS - (hours - 1)) * HOUR_MS;
  const since = firstId(Math.min(firstDay, firstHour));
  const byDay = new Map<string, Happened>();
  const byHour = new Map<string, Happened>();
  let isComplete = true;
  const eachRow = async (sql: string, type: string, use: (at: Happened, row: Row) => void) => {
    const rows = await db.select<Row>(sql, [type, since]);
    if (rows.reduce((sum, { n }) => sum + n, 0) === MOST_EVENTS) isComplete = false;
    for (const row of rows) {
      const time = hourOf(row.in_hour).getTime();
      if (time >= firstDay) use(happenedIn(byDay, row.in_hour.slice(0, DAY_LENGTH)), row);
      if (time >= firstHour) use(happenedIn(byHour, row.in_hour), row);
    }
  };
  for (const [type, outcome] of Object.entries(OUTCOMES))
    await eachRow(BY_STRATEGY, type, ({ signIns }, row) => {
      strategyIn(signIns, nameIn(row))[outcome] += row.n;
    });
  await eachRow(BY_LIMIT, 'limit.reached', ({ limits }, row) => {
    limitIn(limits, nameIn(row)).reached += row.n;
  });
  return {
    users: await count(ctx, USERS, ''),
    sessions: await count(ctx, SESSIONS, boundDate(db.sequelize, clock.date()), ''),
    mails: await count(ctx, MAILS, ''),
    days: inOrder(byDay).map(([day, happened]) => ({ day, ...happened })),
    hours: inOrder(byHour).map(([hour, happened]) => ({ hour: hourOf(hour), ...happened })),
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

const hourOf = (text: string): Date => new Date(`${text.replace(' ', 'T')}:00:00Z`);

function happenedIn(by: Map<string, Happened>, time: string): Happened {
  const known = by.get(time) ?? { signIns: [], limits: [] };
  by.set(time, known);
  return known;
}

function strategyIn(signIns: SignIns[], strategy: string): SignIns {
  const known = signIns.find((each) => each.strategy === strategy);
  if (known) return known;
  const added = { strategy, succeeded: 0, challenged: 0, refused: 0 };
  signIns.push(added);
  return added;
}

function limitIn(limits: Happened['limits'], limit: string): Happened['limits'][number] {
  const known = limits.find((each) => each.limit === limit);
  if (known) return known;
  const added = { limit, reached: 0 };
  limits.push(added);
  return added;
}

const inOrder = (by: Map<string, Happened>): [time: string, Happened][] =>
  [...by]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([time, { signIns, limits }]) => [
      time,
      {
        signIns: signIns.toSorted((a, b) => (a.strategy < b.strategy ? -1 : 1)),
        limits: limits.toSorted((a, b) => (a.limit < b.limit ? -1 : 1)),
      },
    ]);
