import { Op } from 'sequelize';
import type { AuditEntry } from '#models/index';
import type { Context } from '#src/context';

/** An entry, as it is shown and sent. */
export interface ShownEntry extends Pick<
  AuditEntry,
  | 'id'
  | 'type'
  | 'version'
  | 'actor'
  | 'actorKind'
  | 'onBehalfOf'
  | 'subject'
  | 'sessionId'
  | 'ip'
  | 'requestId'
  | 'createdAt'
> {
  /** Null until it is sealed. */
  seq: number | null;
  /** The other fields of the event. */
  details: Record<string, unknown>;
}

export const shownEntry = (entry: AuditEntry): ShownEntry => ({
  seq: entry.seq,
  id: entry.id,
  type: entry.type,
  version: entry.version,
  actor: entry.actor,
  actorKind: entry.actorKind,
  onBehalfOf: entry.onBehalfOf,
  subject: entry.subject,
  sessionId: entry.sessionId,
  ip: entry.ip,
  requestId: entry.requestId,
  details: detailsIn(entry.details),
  createdAt: entry.createdAt,
});

/** What somebody has written into the table by hand may be anything. */
function detailsIn(text: string): Record<string, unknown> {
  try {
    const found: unknown = JSON.parse(text);
    return typeof found === 'object' && found !== null && !Array.isArray(found)
      ? (found as Record<string, unknown>)
      : {};
  } catch {
    return {};
  }
}

/**
 * Sealed entries behind this place, in their order: `seq` goes up by one. Begin with 0, and go on with the `seq` of the last
 * one. What was answered once is never followed by an entry with a smaller `seq`. See `AuditTrail.onSealed`.
 */
export async function sealedAfter(
  ctx: Pick<Context, 'db'>,
  seq: number,
  limit: number,
): Promise<(ShownEntry & { seq: number })[]> {
  const rows = await sealedRows(ctx, seq, limit);
  return rows.map((row) => ({ ...shownEntry(row), seq: row.seq! }));
}

/** The same as rows. */
export const sealedRows = (
  { db }: Pick<Context, 'db'>,
  seq: number,
  limit: number,
): Promise<AuditEntry[]> =>
  db.AuditEntry.findAll({ where: { seq: { [Op.gt]: seq } }, order: [['seq', 'ASC']], limit });
