import { randomBytes } from 'node:crypto';
import bcrypt from 'bcrypt';
import { createConnection } from 'mysql2/promise';
import { afterAll, inject } from 'vitest';

const times = '`createdAt` DATETIME NOT NULL, `updatedAt` DATETIME NOT NULL';
const tables = [
  `CREATE TABLE \`roles\` (\`id\` INTEGER, \`name\` VARCHAR(255), ${times}, PRIMARY KEY (\`id\`)) ENGINE=InnoDB`,
  `CREATE TABLE \`user_roles\` (${times}, \`roleId\` INTEGER, \`userId\` INTEGER, PRIMARY KEY (\`roleId\`, \`userId\`),
    FOREIGN KEY (\`roleId\`) REFERENCES \`roles\` (\`id\`) ON DELETE CASCADE ON UPDATE CASCADE,
    FOREIGN KEY (\`userId\`) REFERENCES \`users\` (\`id\`) ON DELETE CASCADE ON UPDATE CASCADE) ENGINE=InnoDB`,
];
const people = (table: string, ...columns: string[]) =>
  `CREATE TABLE \`${table}\` (\`id\` INTEGER auto_increment, ${columns.map((name) => `\`${name}\` VARCHAR(255)`).join(', ')}, ${times}, PRIMARY KEY (\`id\`)) ENGINE=InnoDB`;
const bezkoder = [
  people('users', 'username', 'email', 'password'),
  ...tables,
  `CREATE TABLE \`refreshTokens\` (\`id\` INTEGER NOT NULL auto_increment, \`token\` VARCHAR(255), \`expiryDate\` DATETIME, ${times},
    \`userId\` INTEGER, PRIMARY KEY (\`id\`), FOREIGN KEY (\`userId\`) REFERENCES \`users\` (\`id\`) ON DELETE SET NULL ON UPDATE CASCADE) ENGINE=InnoDB`,
];

/** The tables that the `sync()` of each original makes. */
export const originals = {
  bezkoder,
  'bezkoder-cookies': bezkoder.slice(0, 3),
  grokonez: [people('users', 'name', 'username', 'email', 'password'), ...tables],
  'grokonez-react': [
    people('users', 'firstname', 'lastname', 'username', 'email', 'password'),
    ...tables,
  ],
  zohaib: [people('Users', 'first_name', 'last_name', 'email', 'password')],
  devckano: [people('users', 'name', 'password')],
};
export type Original = keyof typeof originals;
export const originalNames = Object.keys(originals) as Original[];

/** Which number each tutorial has in our ids. */
const numbers: Record<Original, number> = {
  bezkoder: 1,
  'bezkoder-cookies': 1,
  grokonez: 3,
  'grokonez-react': 4,
  zohaib: 0,
  devckano: 2,
};
export const idIn = (tutorial: Original, id: number) =>
  `00000000-0000-8000-800${numbers[tutorial]}-${String(id).padStart(12, '0')}`;

/** A hash as bcryptjs (`2a`), bcrypt (`2b`) and PHP (`2y`) make it. */
export const hashed = (secret: string, kind: '2a' | '2b' | '2y' = '2b', cost = 4) =>
  bcrypt.hashSync(secret, bcrypt.genSaltSync(cost, 'b')).replace('$2b$', `$${kind}$`);

const made: string[] = [];
afterAll(async () => {
  for (const name of made.splice(0)) await query(inject('mysqlUrl'), `DROP DATABASE ${name}`);
});

export async function query(
  url: string,
  sql: string,
  values: unknown[] = [],
): Promise<Record<string, unknown>[]> {
  const connection = await createConnection(url);
  try {
    await connection.query("SET sql_mode = ''"); // as lenient as the servers were
    return (await connection.query(sql, values))[0] as Record<string, unknown>[];
  } finally {
    await connection.end();
  }
}

type Row = Record<string, unknown>;
const since = '2019-03-04 05:06:07';
export async function insert(url: string, table: string, rows: Row[]): Promise<void> {
  const columns = [
    ...new Set(['createdAt', 'updatedAt', ...rows.flatMap((row) => Object.keys(row))]),
  ];
  const values = rows.map((row) =>
    columns.map((name) => row[name] ?? (name.endsWith('At') ? since : null)),
  );
  await query(url, 'INSERT INTO ?? (??) VALUES ?', [table, columns, values]);
}

/** The database of a back end that was built on this tutorial, with these users; `roles` says who has which. */
export async function oldDatabase(
  tutorial: Original,
  users: Row[] = [],
  roles: Record<string, number[]> = {},
): Promise<string> {
  const name = `old_${randomBytes(6).toString('hex')}`;
  const url = `${inject('mysqlUrl')}/${name}`;
  await query(inject('mysqlUrl'), `CREATE DATABASE ${name}`);
  made.push(name);
  for (const table of originals[tutorial]) await query(url, table);
  if (users.length > 0) await insert(url, tutorial === 'zohaib' ? 'Users' : 'users', users);
  for (const [i, [role, ids]] of Object.entries(roles).entries()) {
    await insert(url, 'roles', [{ id: i + 1, name: role === 'null' ? null : role }]);
    if (ids.length > 0)
      await insert(
        url,
        'user_roles',
        ids.map((userId) => ({ userId, roleId: i + 1 })),
      );
  }
  return url;
}
