import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import { LOGIN_FAILURES } from '#src/authentication/limits';
import type { Context } from '#src/context';
import { clientIp } from '#src/platform/http/client-ip';
import { networkOf } from '#src/platform/http/network';
import { Problem } from '#src/platform/http/problem';
import type { AuthStrategy, StrategyContext, ThrottleSubject } from '#src/strategy-kit/strategy';

/** A try, counted as a failure before it is made. Call the function that fits its outcome. */
export interface LoginThrottle {
  /** The account is locked: nobody comes in, whatever the strategy says. */
  locked: boolean;
  failed: (error: unknown) => Promise<void>;
  /** The credentials were right and the sign-in was refused all the same: takes this one failure back. */
  forgiven: () => Promise<void>;
  succeeded: () => Promise<void>;
}
const uncounted: LoginThrottle = {
  locked: false,
  failed: async () => {},
  forgiven: async () => {},
  succeeded: async () => {},
};

const USUAL_FIELDS = ['identifier', 'username', 'email', 'login'];
const asTyped = async (name: string): Promise<ThrottleSubject> => ({
  id: `name ${name.trim().normalize('NFKC').toLowerCase()}`,
  networks: [],
});

/**
 * Counts a try against the account that it names. There are two counters: one for each network from which the user has
 * signed in before, and one that all strangers share. So strangers lock out each other, not the user. A locked account
 * looks like a wrong password and takes as long: the strategy is asked about a user who does not exist, so it cannot be
 * used to guess.
 */
export async function throttleLogin(
  ctx: Context,
  req: Request,
  { account, credentials }: AuthStrategy,
  strategyContext: StrategyContext<never>,
): Promise<LoginThrottle> {
  const body = req.body as Record<string, unknown> | undefined;
  const field = account?.field ?? USUAL_FIELDS.find((name) => typeof body?.[name] === 'string');
  const name = field && body?.[field];
  if (!credentials || !field || typeof name !== 'string') return uncounted;
  const find = account?.find;
  const subjectOf = find ? (each: string) => find(each, strategyContext) : asTyped;
  const throttle = await countFailure(ctx, req, name, subjectOf);
  if (throttle.locked) req.body = { ...body, [field]: unknownName() };
  return throttle;
}

const unknownName = (): string => `x${randomBytes(12).toString('hex')}`;

type FindSubject = (name: string) => Promise<ThrottleSubject>;

async function countFailure(
  ctx: Context,
  req: Request,
  name: string,
  find: FindSubject,
): Promise<LoginThrottle> {
  const { limits, events, settings } = ctx;
  if (settings.limits === 'off') return uncounted;
  const { id, networks } = await find(name);
  const network = networkOf(req);
  const subject = networks.includes(network) ? `${id} at ${network}` : id;
  const locked = (await limits.hit(LOGIN_FAILURES, () => subject)) !== undefined;
  if (locked) events.emit('limit.reached', { limit: 'account', ip: clientIp(req) });
  const forgiven = () => logFailure(ctx, limits.forgive(LOGIN_FAILURES, subject));
  return {
    locked,
    failed: async (error) => {
      if (!locked && error instanceof Problem && error.status === 503) await forgiven();
    },
    forgiven,
    succeeded: () => logFailure(ctx, limits.forget(LOGIN_FAILURES, subject)),
  };
}

/**
 * The same for a strategy that finds the credentials outside the body, such as in a header. While the account is locked,
 * `verify` gets a name that nobody has.
 */
export async function throttled<T>(
  ctx: Context,
  req: Request,
  name: string,
  find: FindSubject,
  verify: (name: string) => Promise<T | null>,
): Promise<T | null> {
  const throttle = await countFailure(ctx, req, name, find);
  const found = await verify(throttle.locked ? unknownName() : name).catch(
    async (error: unknown) => {
      await throttle.failed(error);
      throw error;
    },
  );
  if (!found || throttle.locked) return null;
  await throttle.succeeded();
  return found;
}

/** The sign-in is answered also when the counter cannot be changed. */
async function logFailure({ log }: Context, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    log.warn({ err: error }, 'a counter of failed sign-ins could not be changed');
  }
}
