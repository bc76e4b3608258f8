import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import { findWithRoles } from '#src/users/with-roles';

/**
 * Refuses to take the last factor of a user whose role requires one. Call it with the turn of the user: of two removals at
 * once, the second one sees what the first has left.
 * @throws {Problem} 409 `last_factor`
 */
export async function requireFactorLeft(
  { db, settings: { mfaRequiredRoles } }: Context,
  userId: string,
  left: number,
): Promise<void> {
  if (left > 0 || mfaRequiredRoles.length === 0) return;
  const user = await findWithRoles(db, { id: userId });
  if (user?.roleNames.some((role) => mfaRequiredRoles.includes(role)))
    throw new Problem('last_factor');
}
