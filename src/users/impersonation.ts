import { covers, grants } from '#src/users/permissions';

/** The permission to act for other users. */
export const IMPERSONATE = 'users:impersonate';

/**
 * True if who holds the first permissions may act for somebody who has the second: they gain nothing by it. Whoever may
 * impersonate others is not impersonated: what one administrator does must never look like the work of another.
 */
export const mayImpersonate = (held: readonly string[], theirs: readonly string[]): boolean =>
  grants(held, IMPERSONATE) && covers(held, theirs) && !grants(theirs, IMPERSONATE);
