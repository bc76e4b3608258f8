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

export function announceRefused(
  ctx: Context,
  req: Request,
  strategy: string,
  subject: ThrottleSubject | undefined,
): void {
  const account = accountOf(ctx, subject);
  ctx.events.emit('session.refused', { strategy, ip: clientIp(req), ...account });
}

/** Announces a sign-in that was not tried, because its account is locked. */
export function announceLocked(ctx: Context, req: Request, subject: ThrottleSubject): void {
  const account = accountOf(ctx, subject);
  ctx.events.emit('limit.reached', { limit: 'account', ip: clientIp(req), ...account });
}
