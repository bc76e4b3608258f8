import { QueryTypes } from 'sequelize';
import type { AuditDay } from '#models/index';
import { moveEnds, provedEnds } from '#src/audit/ends';
import { hashOf, macOfDay } from '#src/audit/entry';
import type { Context } from '#src/context';
import { skipCacheInvalidation } from '#src/platform/database/commits';
import { takeTurn } from '#src/platform/database/take-turn';

/** Entries in one step. While SQLite writes them, this process does nothing else. */
export const SEAL_STEP = 100;

/**
 * Gives the oldest entries without a place their places in the trail, so many at most, and answers how many. The hash of
 * each one holds the hash before. Of several nodes one at a time does it. An entry stands behind every entry that was
 * committed before it began: those of one user are in the order in which they happened.
 */
export const sealNext = (ctx: Context): Promise<number> =>
  ctx.db.transaction(async () => {
    const { db } = ctx;
    await takeTurn(db.AuditChain, { id: 1 });
    // By the index, which has them in the order of their ids, or of their writing. Sorting all that wait would take long.
    const waiting = await db.AuditEntry.findAll({ where: { seq: null }, limit: SEAL_STEP });
    if (waiting.length === 0) return 0;
    waiting.sort((a, b) => (a.id < b.id ? -1 : 1));
    const { chain, day } = await provedEnds(ctx);
    let { tipSeq: seq, tipHash: hash } = chain;
    const places = waiting.map((entry) => {
      hash = hashOf(hash, Object.assign(entry, { seq: ++seq }));
      return [entry.id, seq, hash] as const;
    });
    await place(ctx, places);
    await moveEnds(ctx, chain, { tipSeq: seq, tipHash: hash });
    await addToDay(ctx, day, { entries: places.length, lastSeq: seq, lastHash: hash });
    return places.length;
  });

// MySQL compares no two collations of Unicode, and the table's is not the connection's. Any Unicode one takes ASCII.
const PLACES = `'$[*]' COLUMNS (id CHAR(36) CHARACTER SET ascii PATH '$[0]', seq BIGINT PATH '$[1]', hash CHAR(43) PATH '$[2]')`;
const PLACE_SERVER = `UPDATE JSON_TABLE($1, ${PLACES}) placed STRAIGHT_JOIN audit_entries entry ON entry.id = placed.id
  SET entry.seq = placed.seq, entry.hash = placed.hash`;
const PLACE_SQLITE = `UPDATE audit_entries SET seq = placed.value ->> 1, hash = placed.value ->> 2
  FROM json_each($1) placed WHERE audit_entries.id = placed.value ->> 0`;

/** All by one statement of constant text. */
async function place({ db: { sequelize } }: Context, places: readonly (readonly unknown[])[]) {
  const sql = sequelize.getDialect() === 'sqlite' ? PLACE_SQLITE : PLACE_SERVER;
  const bind = [JSON.stringify(places)];
  await sequelize.query(sql, { type: QueryTypes.RAW, bind, ...skipCacheInvalidation });
}

type Added = Pick<AuditDay, 'entries' | 'lastSeq' | 'lastHash'>;

/** Adds to the newest day, or begins today. The clock of another node may be behind: days never go back. */
async function addToDay({ db, clock, audit }: Context, newest: AuditDay | null, added: Added) {
  const today = clock.date().toISOString().slice(0, 10);
  const isOn = newest !== null && newest.day >= today;
  const day = isOn ? newest.day : today;
  const fields = { ...added, day, entries: added.entries + (isOn ? newest.entries : 0) };
  const { id: keyId, key } = audit.key();
  const row = { ...fields, keyId, mac: macOfDay(key, fields) };
  if (isOn) await db.AuditDay.update(row, { where: { day }, ...skipCacheInvalidation });
  else await db.AuditDay.create(row, skipCacheInvalidation);
}
