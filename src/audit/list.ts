import { findEntries, type Order } from '#src/audit/find';
import type { AuditFilter, AuditQuery } from '#src/audit/query';
import { shownEntry, type ShownEntry } from '#src/audit/read';
import type { AuditEntry } from '#models/index';
import type { Context } from '#src/context';
import { openCursor, sealCursor, type ListName } from '#src/platform/http/cursor';

const nameOf = ({ actor, subject, type, after, before }: AuditFilter): ListName => [
  'audit',
  actor,
  subject,
  type,
  after?.toISOString(),
  before?.toISOString(),
];

/**
 * One page of the audit trail, newest first. A page may be empty and have a `nextCursor`.
 * @throws {Problem} 400 `invalid_request` for a cursor of another list
 */
export async function listEntries(
  ctx: Context,
  { limit, cursor, ...filter }: AuditQuery,
): Promise<{ data: ShownEntry[]; nextCursor: string | null }> {
  const name = nameOf(filter);
  const [behind] = cursor === undefined ? [] : openCursor(ctx, name, cursor);
  const { rows, next } = await findEntries(ctx, filter, { order: 'newest', limit, behind });
  const nextCursor = next === null ? null : sealCursor(ctx, name, [next]);
  return { data: rows.map(shownEntry), nextCursor };
}

/** Entries in one page of an export. */
const EXPORT_PAGE = 500;

async function* rowsOf(
  ctx: Context,
  filter: AuditFilter,
  order: Order,
): AsyncGenerator<AuditEntry[]> {
  for (let behind: string | null | undefined; behind !== null;) {
    const found = await findEntries(ctx, filter, { order, limit: EXPORT_PAGE, behind });
    if (found.rows.length > 0) yield found.rows;
    behind = found.next;
  }
}

/** What a terminal, or whoever reads a file, would not see as it is: controls, and what turns the direction of text. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Co}\p{Cn}\u2028\u2029]/gu;
const escaped = (char: string): string =>
  Array.from(
    { length: char.length },
    (_, i) => `\\u${char.charCodeAt(i).toString(16).padStart(4, '0')}`,
  ).join('');

/** JSON on one line. A program reads the same as from any other JSON, and a person sees every character. */
export const visibleJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(UNSEEN, escaped);

/**
 * The trail as NDJSON, oldest first, with the proofs: each piece is some whole lines. One page at a time is in memory.
 */
export async function* exportEntries(ctx: Context, filter: AuditFilter): AsyncGenerator<string> {
  for await (const rows of rowsOf(ctx, filter, 'oldest'))
    yield rows.map((row) => `${visibleJson(exported(row))}\n`).join('');
}

const exported = (row: AuditEntry) => {
  const { keyId, mac, hash } = row;
  return { ...shownEntry(row), keyId, mac, hash };
};

/**
 * What the trail has of a user, for themselves: what they did and what was done to them, newest first. Who else did it, and
 * from where, is not told.
 */
export async function* auditOf(ctx: Context, userId: string): AsyncGenerator<ShownEntry> {
  for (const filter of [{ subject: userId }, { actor: userId }])
    for await (const rows of rowsOf(ctx, filter, 'newest'))
      for (const row of rows) {
        if ('actor' in filter && row.subject === userId) continue; // it was among the first
        const shown = shownEntry(row);
        const isOther = shown.actor !== null && shown.actor !== userId;
        yield isOther
          ? { ...shown, actor: null, onBehalfOf: null, sessionId: null, ip: null, requestId: null }
          : shown;
      }
}
