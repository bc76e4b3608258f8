import { configurationFrom } from '#src/configuration';
import type { Check, Found, Subject } from '#src/doctor/check';
import { database } from '#src/doctor/database';
import { keys, migrations, secrets } from '#src/doctor/stored';
import { mail, providers, proxy, redis } from '#src/doctor/surroundings';
import { isDatabaseUnavailable, reasonOf } from '#src/platform/database/errors';
import type { Dotenv } from '#src/platform/settings/dotenv';
import type { Environment } from '#src/platform/settings/read';
import { SettingsError } from '#src/platform/settings/settings-error';

/** A new check is a line here. */
const CHECKS: readonly Check[] = [
  database,
  migrations,
  keys,
  secrets,
  mail,
  redis,
  proxy,
  providers,
];

/** No check may take longer, in milliseconds. */
const LONGEST_MS = 15_000;

export interface Finding {
  check: string;
  level: 'ok' | 'warning' | 'wrong';
  text: string;
}

/**
 * Looks at settings and surroundings of a server, and says what is wrong. Changes nothing: the database is not migrated,
 * no mail is sent.
 */
export async function examine(env: Environment, dotenv?: Dotenv): Promise<Finding[]> {
  try {
    const { settings, strategies } = await configurationFrom(env, dotenv);
    const known = strategies.files.map(({ strategy }) => strategy);
    const found = await checkAll({ settings, strategies: known });
    strategies.release();
    return [{ check: 'settings', level: 'ok', text: 'no mistake found' }, ...found];
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    return error.mistakes.map((text) => ({ check: 'settings', level: 'wrong', text }));
  }
}

/** All at once, but for those that need the database. */
async function checkAll(subject: Subject): Promise<Finding[]> {
  const first = inTime(database, subject);
  const answers = await Promise.all(
    CHECKS.map(async (check) => {
      if (check === database) return first;
      const isSkipped = check.needsDatabase && (await first).isUnanswered;
      return isSkipped ? { warnings: ['Not checked: see database'] } : inTime(check, subject);
    }),
  );
  return CHECKS.flatMap(({ name }, i) => findingsOf(name, answers[i]!));
}

function findingsOf(check: string, { wrong = [], warnings = [], fine }: Found): Finding[] {
  const findings = (level: Finding['level'], texts: readonly string[]) =>
    texts.map((text) => ({ check, level, text }));
  const bad = [...findings('wrong', wrong), ...findings('warning', warnings)];
  return bad.length > 0 || fine === undefined ? bad : findings('ok', [fine]);
}

interface Answered extends Found {
  /** True if the check threw or was late. */
  isUnanswered?: boolean;
}

async function inTime(check: Check, subject: Subject): Promise<Answered> {
  const { promise: late, resolve } = Promise.withResolvers<Answered>();
  const sentence = `There was no answer within ${LONGEST_MS / 1000} s`;
  const timer = setTimeout(() => resolve({ wrong: [sentence], isUnanswered: true }), LONGEST_MS);
  try {
    return await Promise.race([check.run(subject), late]);
  } catch (error) {
    return { wrong: [sentenceOf(error)], isUnanswered: true };
  } finally {
    clearTimeout(timer);
  }
}

/** Messages of drivers hold hosts and users, so only their codes are said. */
function sentenceOf(error: unknown): string {
  if (error instanceof SettingsError) return error.mistakes.join('; ');
  const reason = reasonOf(error);
  if (/^ER_(ACCESS|DBACCESS|BAD_DB|SECURE|NOT_SUPPORTED)/.test(reason))
    return `The database refuses us (${reason}): are user, password and database name in DATABASE_URL right?`;
  if (reason.startsWith('SQLITE_'))
    return `The file in DATABASE_URL cannot be used (${reason}): is it a database, and may this user write to it and to its folder?`;
  if (isDatabaseUnavailable(error))
    return `The database does not answer (${reason}): is it running, and is DATABASE_URL right?`;
  return `It could not be checked (${reason})`;
}
