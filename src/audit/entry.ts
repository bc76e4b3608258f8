import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { ActorKind } from '#src/platform/events';

/** The columns of an entry that its cause decides. */
export interface EntryFields {
  id: string;
  type: string;
  version: number;
  actor: string | null;
  actorKind: ActorKind;
  onBehalfOf: string | null;
  subject: string | null;
  sessionId: string | null;
  ip: string | null;
  requestId: string | null;
  /** JSON. */
  details: string;
  createdAt: Date;
}

/** The same text for the same entry, always: what MAC and hash are made of. */
const canonical = (entry: Omit<EntryFields, 'actorKind'> & { actorKind: string }): string =>
  JSON.stringify([
    entry.id,
    entry.type,
    entry.version,
    entry.actor,
    entry.actorKind,
    entry.onBehalfOf,
    entry.subject,
    entry.sessionId,
    entry.ip,
    entry.requestId,
    entry.details,
    entry.createdAt.toISOString(),
  ]);

type Canonical = Parameters<typeof canonical>[0];

const hmac = (key: Buffer, text: string) =>
  createHmac('sha256', key).update(text).digest('base64url');

/** Proves that the server wrote an entry, and that nobody has changed it since. */
export const macOf = (key: Buffer, entry: Canonical): string => hmac(key, canonical(entry));

/** `SHA-256(previous hash ‖ place ‖ MAC ‖ entry)` in base64url. The first entry has an empty previous hash. */
export const hashOf = (previous: string, entry: Canonical & { seq: number; mac: string }): string =>
  createHash('sha256')
    .update(`${previous}\n${entry.seq}\n${entry.mac}\n${canonical(entry)}`)
    .digest('base64url');

/** Where the chain begins and ends. */
export interface Ends {
  baseSeq: number;
  baseHash: string;
  tipSeq: number;
  tipHash: string;
}
export const macOfEnds = (key: Buffer, { baseSeq, baseHash, tipSeq, tipHash }: Ends): string =>
  hmac(key, JSON.stringify(['ends', baseSeq, baseHash, tipSeq, tipHash]));

/** What was sealed on a day. */
export interface Day {
  day: string;
  entries: number;
  lastSeq: number;
  lastHash: string;
}
export const macOfDay = (key: Buffer, { day, entries, lastSeq, lastHash }: Day): string =>
  hmac(key, JSON.stringify(['day', day, entries, lastSeq, lastHash]));

/** Compares in constant time. */
export function isEqual(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}
