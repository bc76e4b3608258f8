/** What the feed tells. */
export interface Change {
  readonly type: string;
  readonly sessionId: string | undefined;
  readonly userId: string | undefined;
  readonly role: string | undefined;
}

/** One answer of the feed. */
export interface Answer {
  readonly after: string | null;
  readonly cursor: string;
  readonly reset: boolean;
  readonly more: boolean;
  /** How long after the question the server looked for the last time. */
  readonly waitedMs: number;
  readonly changes: readonly Change[];
}

/** What is kept of a session, as far as changes name it. */
export interface Concerned {
  readonly sid: string;
  readonly sub: string;
  readonly actor: { readonly id: string; readonly sid: string } | null;
  /** Undefined: not known yet. */
  readonly roles: readonly string[] | undefined;
}

/** True if what is kept of this session may be out of date by this change. A kind that is not known here concerns all. */
export function concerns(change: Change, { sid, sub, actor, roles }: Concerned): boolean {
  const { sessionId, userId, role } = change;
  if (sessionId !== undefined) return sessionId === sid || sessionId === actor?.sid;
  if (userId !== undefined) return userId === sub || userId === actor?.id;
  // What an administrator may do decides whether they may act for others, and their roles are not known.
  if (role !== undefined) return roles === undefined || actor !== null || roles.includes(role);
  return true;
}

/** @throws {Error} for anything else */
export function answerIn(value: unknown): Answer {
  const { after, cursor, reset, more, waitedMs, changes } = value as Record<string, unknown>;
  const isWhole =
    (after === null || typeof after === 'string') &&
    typeof cursor === 'string' &&
    typeof reset === 'boolean' &&
    typeof more === 'boolean' &&
    typeof waitedMs === 'number' &&
    waitedMs >= 0 &&
    Array.isArray(changes);
  if (!isWhole) throw new Error('No answer of the feed');
  return { after, cursor, reset, more, waitedMs, changes: changes.map(changeIn) };
}

function changeIn(value: unknown): Change {
  const { type, sessionId, userId, role } = value as Record<string, unknown>;
  if (typeof type !== 'string') throw new Error('No change');
  return { type, sessionId: textIn(sessionId), userId: textIn(userId), role: textIn(role) };
}

function textIn(value: unknown): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw new Error('No text');
}
