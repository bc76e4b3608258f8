import { createHash } from 'node:crypto';
import { Problem } from '#src/platform/http/problem';

/** A strong validator of what these values say (RFC 9110 §8.8.3). It changes with any of them. */
export const etagOf = (values: readonly unknown[]): string =>
  `"${createHash('sha256').update(JSON.stringify(values)).digest('base64url').slice(0, 22)}"`;

/**
 * Lets a change pass if the header If-Match names the current state, is `*`, or was not sent (RFC 9110 §13.1.1). Call it
 * with the turn of what is changed: of two changes that were meant for the same state, one passes.
 * @throws {Problem} 412 `precondition_failed`
 */
export function requireMatch(ifMatch: string | undefined, etag: string): void {
  if (ifMatch === undefined || ifMatch.trim() === '*') return;
  if (!ifMatch.split(',').some((each) => each.trim() === etag))
    throw new Problem('precondition_failed');
}
