import {
  authenticate,
  requireFreshProof,
  requireFullAccess,
  requirePermission,
} from '#src/authentication/guards';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';

/**
 * The guards of what administrators do that outlasts their session: neither a stolen token nor an API key must do it. The
 * order is that of refusals.
 */
export const administer = (ctx: Context, permission: string) =>
  [
    authenticate(ctx),
    requirePermission(permission),
    requireFullAccess,
    requireFreshProof(ctx, lifetimes.freshCredentialChangeMinutes),
  ] as const;
