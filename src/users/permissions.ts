import { z } from 'zod';
import { Problem } from '#src/platform/http/problem';

/** In characters. */
const LONGEST_PERMISSION = 64;

/** `resource:action`, `resource:*` or `*`. Nothing else: an asterisk is never a part of a name. */
const PERMISSION = /^(?:\*|[a-z][a-z0-9_-]*:(?:\*|[a-z][a-z0-9_-]*))$/;

/** A permission has one spelling, so guards compare texts as they are. */
export const Permission = z
  .string()
  .max(LONGEST_PERMISSION)
  .regex(
    PERMISSION,
    'A permission is `resource:action`, `resource:*` or `*`. Resource and action begin with a small letter and have small letters, digits, _ and -',
  )
  .meta({ example: 'invoices:read' });

/**
 * True if who holds these permissions may do what `wanted` names.
 * - `*` grants everything.
 * - `users:*` grants `users:read`, every other action on `users`, and `users:*` itself.
 * - Every other permission grants itself only. All actions that exist today are not `users:*`: there may be more tomorrow.
 */
export const grants = (held: readonly string[], wanted: string): boolean =>
  held.includes(wanted) || held.includes('*') || held.includes(wanted.replace(/:.*$/s, ':*'));

/** True if these permissions grant each one of the set. Whoever holds them holds no less than the set. */
export const covers = (held: readonly string[], set: readonly string[]): boolean =>
  set.every((wanted) => grants(held, wanted));

/**
 * Whoever acts on a role, or on somebody who has one, must have what they act on.
 * @throws {Problem} 403 `forbidden` with those of the set that `held` does not grant
 */
export function requireCover(held: readonly string[], set: readonly string[]): void {
  const required = sortedPermissions(set.filter((wanted) => !grants(held, wanted)));
  if (required.length > 0) throw new Problem('forbidden', { members: { required } });
}

/** The permissions of a column of `models/role`. */
export const permissionsIn = (stored: string): string[] => (stored === '' ? [] : stored.split(' '));

/** Each permission once, in alphabetical order. */
export const sortedPermissions = (permissions: readonly string[]): string[] =>
  [...new Set(permissions)].sort();
