import { v7 as uuid } from 'uuid';
import { macOf, type EntryFields } from '#src/audit/entry';
import { insertEntries } from '#src/audit/insert';
import { openAuditKey, type AuditMacKey } from '#src/audit/keys';
import type { Context } from '#src/context';
import type { EventMap } from '#src/events';
import type { ActorKind, Announced, EventStore } from '#src/platform/events';
import { Principal } from '#src/users/principal';

/** Raised when the fields of an event change in a way that its readers must know. */
const VERSION = 1;
/** Longest JSON of the details of an entry. */
const MAX_DETAILS = 4000;
/**
 * Nobody has proved to be the user that these name. In every other event of a request, whoever asked is the user whom it is
 * about, unless a guard has let in another one.
 */
const UNPROVED: ReadonlySet<string> = new Set<keyof EventMap>([
  'limit.reached',
  'passkey.copied',
  'session.refused',
  'session.reused',
]);

/** The audit trail of one instance: where its events are stored. */
export interface AuditTrail extends EventStore<EventMap> {
  /** Reads the key that proves its entries, or makes one. Call it when the schema is there. */
  open(): Promise<void>;
  /** Called after each commit with entries, and after entries of their own. Undefined: nothing is. */
  onWritten(fn: (() => void) | undefined): void;
  /** Calls `fn` when this process learns that entries were sealed: see `sealedAfter`. Call the answer to stop. */
  onSealed(fn: () => void): () => void;
  /** Tells those who wait that entries were sealed. */
  tellSealed(): void;
  /** The key of this instance. @throws {Error} before it is open */
  key(): AuditMacKey;
}

type Parts = Pick<Context, 'db' | 'clock' | 'secrets' | 'request' | 'log'>;

/** `kind`: who acts outside of requests. */
export function createAuditTrail(parts: Parts, kind: ActorKind): AuditTrail {
  const { db, clock, request } = parts;
  const waiting = new Set<() => void>();
  let written: (() => void) | undefined;
  let held: AuditMacKey | undefined;
  let count = 0;

  const key = () => {
    if (!held) throw new Error('The audit trail is not open yet.');
    return held;
  };

  function entryOf([type, event, cause = {}]: Announced<EventMap>): EntryFields {
    const now = clock.now();
    const { userId, sessionId, ip, ...rest } = event as Record<string, unknown>;
    const asked = request.getStore();
    const principal = asked?.user instanceof Principal ? asked.user : undefined;
    const subject = idIn(userId);
    const isProved = !UNPROVED.has(type) && rest['why'] !== 'reused';
    const who = principal?.actor ?? principal;
    const isGiven = cause.actor !== undefined || cause.kind !== undefined;
    const actor =
      cause.actor ?? (isGiven ? null : (who?.id ?? (asked && isProved ? subject : null)));
    const session = idIn(sessionId);
    const more = sessionId !== undefined && session === null ? { sessionId, ...rest } : rest;
    return {
      id: uuid({ msecs: now, seq: ++count }),
      type,
      version: VERSION,
      actor,
      actorKind: cause.kind ?? kindOf(actor, asked !== undefined),
      onBehalfOf: isGiven ? (cause.onBehalfOf ?? null) : principal?.actor ? principal.id : null,
      subject,
      sessionId: session ?? principal?.session?.id ?? null,
      ip: ((ip as string | null | undefined) ?? asked?.ip)?.slice(0, 45) ?? null,
      requestId: asked?.requestId.slice(0, 64) ?? null,
      details: jsonOf(more),
      createdAt: new Date(now),
    };
  }
  const kindOf = (actor: string | null, isAsked: boolean): ActorKind => {
    if (actor !== null) return 'user';
    return isAsked ? 'anonymous' : kind;
  };

  async function insert(entries: readonly EntryFields[]): Promise<void> {
    const { id: keyId, key: secret } = key();
    await insertEntries(
      db,
      entries.map((entry) => ({ ...entry, keyId, mac: macOf(secret, entry) })),
    );
    db.afterCommit(() => written?.());
  }
  db.writeCollected((items) => insert(items as readonly EntryFields[]));

  return {
    async open() {
      held = await openAuditKey(parts);
    },
    key,
    isInTransaction: () => db.isInTransaction(),
    afterCommit: (work) => db.afterCommit(work),
    collect: (announced) => db.collect(entryOf(announced)),
    write: (events) => insert(events.map(entryOf)),
    onWritten(fn) {
      written = fn;
    },
    onSealed(fn) {
      waiting.add(fn);
      return () => waiting.delete(fn);
    },
    tellSealed() {
      for (const fn of waiting) fn();
    },
  };
}

const idIn = (value: unknown): string | null =>
  typeof value === 'string' && value.length === 36 ? value : null;

function jsonOf(details: object): string {
  const text = JSON.stringify(details);
  return text.length <= MAX_DETAILS ? text : '{"truncated":true}';
}
