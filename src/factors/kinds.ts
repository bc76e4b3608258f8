import type { Context } from '#src/context';
import type { FactorKind } from '#src/factors/factor-kind';
import { passkey } from '#src/factors/passkey';
import { recoveryCodes } from '#src/factors/recovery-codes';
import { totp } from '#src/factors/totp';

/** Every kind of second factor, in the order in which a client is offered them. */
export const factorKinds: readonly FactorKind[] = [totp, passkey, recoveryCodes] as const;

/** Names of the kinds in which a user can answer. */
export async function availableKinds(ctx: Context, userId: string): Promise<string[]> {
  const names: string[] = [];
  for (const kind of factorKinds) if (await kind.isAvailable(ctx, userId)) names.push(kind.name);
  return names;
}
