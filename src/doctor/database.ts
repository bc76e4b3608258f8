import { accessSync, constants, existsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { QueryTypes, type Sequelize } from 'sequelize';
import type { Check, Found, Subject } from '#src/doctor/check';
import { missingPrivileges } from '#src/doctor/privileges';
import { createClock } from '#src/platform/clock';
import { openSequelize, sqliteFileOf } from '#src/platform/database/open';
import { lifetimes } from '#src/lifetimes';

/** The oldest versions that are supported. */
const OLDEST = { MySQL: [8, 0], MariaDB: [10, 11] } as const;
/** Clocks that differ by more make provider tokens look expired, or not valid yet. In seconds. */
const NOTABLE_SKEW = 5;

/** Runs work on a connection of its own, as the server opens them. */
async function onDatabase<T>(
  { settings }: Subject,
  work: (sequelize: Sequelize) => Promise<T>,
): Promise<T> {
  const sequelize = openSequelize(settings.databaseUrl);
  try {
    return await work(sequelize);
  } finally {
    await sequelize.close();
  }
}

/** True for an embedded database that the first start will make. */
export function isMissing({ settings }: Subject): boolean {
  const file = sqliteFileOf(settings.databaseUrl);
  return file !== undefined && !existsSync(file);
}

export const database: Check = {
  name: 'database',
  run: async (subject) => {
    const file = sqliteFileOf(subject.settings.databaseUrl);
    if (file !== undefined && isMissing(subject)) return placeFor(file);
    return onDatabase(subject, file === undefined ? server : (db) => embedded(db, file));
  },
};

/** Whether a database that is not there can be made. */
function placeFor(file: string): Found {
  let folder = dirname(resolve(file));
  while (!existsSync(folder)) folder = dirname(folder);
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    if (statSync(folder).isDirectory()) return { fine: `${file} is made at the first start` };
  } catch {
    // said below
  }
  return { wrong: [`${file} cannot be made: ${folder} is no folder that this user may write to`] };
}

async function embedded(sequelize: Sequelize, file: string): Promise<Found> {
  const sql = 'SELECT sqlite_version() AS version';
  const [row] = await sequelize.query<{ version: string }>(sql, { type: QueryTypes.SELECT });
  const isOpen = (statSync(file).mode & 0o077) !== 0;
  return {
    fine: `SQLite ${row!.version}, ${file}`,
    wrong: isOpen ? [`${file} can be read by others: chmod 600 it`] : [],
  };
}

async function server(sequelize: Sequelize): Promise<Found> {
  const [row] = await sequelize.query<{ version: string; name: string }>(
    'SELECT VERSION() AS version, DATABASE() AS name',
    { type: QueryTypes.SELECT },
  );
  const { version, name } = row!;
  const kind = /mariadb/i.test(version) ? 'MariaDB' : 'MySQL';
  const variables = await variablesOf(sequelize);
  const skew = await skewOf(sequelize);
  const { missing, hasRoles } = await missingPrivileges(sequelize, name);
  const lacks = `The user of DATABASE_URL may not ${missing.join(', ')} on ${name}: GRANT ALL ON ${name}.* to it`;
  return {
    fine: `${kind} ${version}, clock ${skew >= 0 ? '+' : ''}${skew.toFixed(1)} s`,
    wrong: [
      ...versionFaults(kind, version),
      ...variableFaults(variables),
      ...(missing.length > 0 && !hasRoles ? [lacks] : []),
      ...(Math.abs(skew) > lifetimes.clockSkewSeconds ? [skewSentence(skew)] : []),
    ],
    warnings: [
      ...(missing.length > 0 && hasRoles ? [`${lacks}, unless one of its roles may`] : []),
      ...(Math.abs(skew) > NOTABLE_SKEW && Math.abs(skew) <= lifetimes.clockSkewSeconds
        ? [skewSentence(skew)]
        : []),
    ],
  };
}

const skewSentence = (skew: number) =>
  `The clock of the database is ${Math.abs(skew).toFixed(1)} s ${skew > 0 ? 'ahead of' : 'behind'} this machine's: set both by NTP`;

function versionFaults(kind: keyof typeof OLDEST, version: string): string[] {
  const [major = 0, minor = 0] = version.split('.').map((part) => Number.parseInt(part, 10));
  const [oldMajor, oldMinor] = OLDEST[kind];
  if (major > oldMajor || (major === oldMajor && minor >= oldMinor)) return [];
  return [`${kind} ${version} is too old: ${oldMajor}.${oldMinor} or newer is needed`];
}

/** As the connections of the server see them: the server sets some of them itself. */
const EXPECTED: readonly [name: RegExp, value: RegExp, sentence: string][] = [
  [
    /^t(ransaction|x)_isolation$/,
    /^READ-COMMITTED$/,
    'The isolation level is not READ COMMITTED although the server asks for it: does a proxy before the database ignore SET SESSION?',
  ],
  [
    /^time_zone$/,
    /^\+00:00$/,
    'The time zone of the connection is not UTC although the server asks for it: does a proxy before the database ignore SET SESSION?',
  ],
  [
    /^character_set_connection$/,
    /^utf8mb4$/,
    'The connection does not use utf8mb4: names would be stored as question marks',
  ],
  [
    /^(innodb_|super_)?read_only$/,
    /^(OFF|0)$/,
    'The database is read-only: is DATABASE_URL that of a replica?',
  ],
];

function variableFaults(variables: ReadonlyMap<string, string>): string[] {
  const faults = EXPECTED.filter(([name, value]) =>
    [...variables].some(([key, found]) => name.test(key) && !value.test(found)),
  );
  const hasLeft = variables.get('wsrep_on') === 'ON' && variables.get('wsrep_ready') !== 'ON';
  return [
    ...faults.map(([, , sentence]) => sentence),
    ...(hasLeft ? ['This node of the cluster is not ready: it has left, or is joining'] : []),
  ];
}

async function variablesOf(sequelize: Sequelize): Promise<ReadonlyMap<string, string>> {
  const names =
    "'transaction_isolation','tx_isolation','time_zone','character_set_connection','read_only','super_read_only','innodb_read_only','wsrep_on','wsrep_ready'";
  const rows = [];
  for (const kind of ['VARIABLES', 'STATUS'])
    rows.push(
      ...(await sequelize.query<{ Variable_name: string; Value: string }>(
        `SHOW SESSION ${kind} WHERE Variable_name IN (${names})`,
        { type: QueryTypes.SELECT },
      )),
    );
  return new Map(rows.map(({ Variable_name: name, Value: value }) => [name, value]));
}

/** By how many seconds the clock of the database is ahead. */
async function skewOf(sequelize: Sequelize): Promise<number> {
  const [here, there] = [createClock(sequelize), createClock(sequelize)];
  await there.synchronise();
  return (there.now() - here.now()) / 1000;
}
