import { createHmac } from 'node:crypto';
import type { Request } from 'express';
import type { Context } from '#src/context';
import { clientIp } from '#src/platform/http/client-ip';
import type { ThrottleSubject } from '#src/strategy-kit/strategy';

/**
 * Whom a refused sign-in was about: the id of the user; or, for a name that no user has, a keyed digest of it, so that
 * the log joins what belongs together and holds no name. What people type there is sometimes their password.
 */
function accountOf({ secrets }: Pick<Context, 'secrets'>, subject?: ThrottleSubject) {
  if (!subject) return {};
  const { id, userId } = subject;
  if (userId !== undefined) return { userId };
  const key = secrets.keysFor('account names in the log')[0]!;
  return { account: createHmac('sha256', key).update(id).digest('hex').slice(0, 16) };
}

/** A sign-in that was tried. `locked`: the account was locked, so nothing was compared. */
interface Tried {
  locked: boolean;
  account: () => Promise<ThrottleSubject | undefined>;
}

/** Announces a sign-in that was not tried, because its account is locked, and that ended without a refusal. */
export async function announceLocked(
  ctx: Context,
  req: Request,
  subject: ThrottleSubject | undefined,
): Promise<void> {
  const whose = { ip: clientIp(req), ...accountOf(ctx, subject) };
  await ctx.events.record(['limit.reached', { limit: 'account', ...whose }]);
}

/** Announces a refusal. It takes one statement, with and without a lock: time must not tell which accounts are locked. */
export async function announceRefused(
  ctx: Context,
  req: Request,
  strategy: string,
  { locked, account }: Tried,
): Promise<void> {
  const whose = { ip: clientIp(req), ...accountOf(ctx, await account()) };
  const refused = ['session.refused', { strategy, ...whose }] as const;
  if (!locked) return ctx.events.record(refused);
  return ctx.events.record(['limit.reached', { limit: 'account', ...whose }], refused);
}
