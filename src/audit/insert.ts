import { QueryTypes } from 'sequelize';
import type { Db } from '#models/index';
import type { EntryFields } from '#src/audit/entry';
import { boundDate } from '#src/platform/database/bound-date';
import { skipCacheInvalidation } from '#src/platform/database/commits';

/** An entry with its proof. */
export interface NewEntry extends EntryFields {
  keyId: string;
  mac: string;
}

/** The columns of a new entry, with their types on MySQL and MariaDB. */
const COLUMNS: readonly (readonly [column: string, field: keyof NewEntry, type: string])[] = [
  ['id', 'id', 'CHAR(36)'],
  ['type', 'type', 'VARCHAR(64)'],
  ['version', 'version', 'INT'],
  ['actor', 'actor', 'CHAR(36)'],
  ['actor_kind', 'actorKind', 'VARCHAR(16)'],
  ['on_behalf_of', 'onBehalfOf', 'CHAR(36)'],
  ['subject', 'subject', 'CHAR(36)'],
  ['session_id', 'sessionId', 'CHAR(36)'],
  ['ip', 'ip', 'VARCHAR(45)'],
  ['request_id', 'requestId', 'VARCHAR(64)'],
  ['details', 'details', 'TEXT'],
  ['created_at', 'createdAt', 'VARCHAR(32)'],
  ['key_id', 'keyId', 'CHAR(16)'],
  ['mac', 'mac', 'CHAR(43)'],
];
const INTO = `INSERT INTO audit_entries (${COLUMNS.map(([column]) => column).join(', ')})`;

const ONE = `${INTO} VALUES (${COLUMNS.map((_, i) => `$${i + 1}`).join(', ')})`;

// Any number of entries is one value, so the text is constant and prepared once.
const MANY_SQLITE = `${INTO} SELECT ${COLUMNS.map((_, i) => `value ->> ${i}`).join(', ')} FROM json_each($1) rows`;
const MANY_SERVER = `${INTO} SELECT ${COLUMNS.map(([column]) => column).join(', ')} FROM JSON_TABLE($1, '$[*]' COLUMNS (${COLUMNS.map(
  ([column, , type], i) => `${column} ${type} PATH '$[${i}]' ERROR ON ERROR`,
).join(', ')})) added`;

/** Writes entries, all by one statement. No session depends on them. */
export async function insertEntries(
  { sequelize }: Pick<Db, 'sequelize'>,
  entries: readonly NewEntry[],
): Promise<void> {
  const rows = entries.map((entry) =>
    COLUMNS.map(([, field]) => {
      const value = entry[field];
      return value instanceof Date ? boundDate(sequelize, value) : value;
    }),
  );
  const many = sequelize.getDialect() === 'sqlite' ? MANY_SQLITE : MANY_SERVER;
  const [sql, bind] = rows.length === 1 ? [ONE, rows[0]!] : [many, [JSON.stringify(rows)]];
  await sequelize.query(sql, { type: QueryTypes.RAW, bind, ...skipCacheInvalidation });
}
