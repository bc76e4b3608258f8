import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import { SIGN_IN } from '#src/authentication/limits';
import { announceLocked, announceRefused } from '#src/authentication/refused-sign-in';
import type { Context } from '#src/context';
import { networkOf } from '#src/platform/http/network';
import { Problem } from '#src/platform/http/problem';
import { hitsFor, refuse, refuseKnown } from '#src/platform/http/rate-limit';
import type { AuthStrategy, StrategyContext, ThrottleSubject } from '#src/strategy-kit/strategy';
import { handOver } from '#src/users/handed-user';
import { LOGIN_FAILURES } from '#src/users/limits';
import { signedInAs } from '#src/users/principal';
import {
  asTyped,
  factorFailureHits,
  factorSubject,
  failureHits,
} from '#src/users/throttle-subject';

/** A try, counted as a failure before it is made. Call the function that fits its outcome. */
export interface LoginThrottle {
  /** The account is locked: nobody comes in, whatever the strategy says. */
  locked: boolean;
  /** The account that the attempt named, if it named one. */
  account: () => Promise<ThrottleSubject | undefined>;
  failed: (error: unknown) => Promise<void>;
  /** The credentials were right and the sign-in was refused all the same: takes this one failure back. */
  forgiven: () => Promise<void>;
  /**
   * Forgets the failures of the account. The network is counted as if nothing had been tried. In a transaction it is a
   * part of that, if the database counts.
   */
  succeeded: () => Promise<void>;
}
const nothing = async () => {};

const USUAL_FIELDS = ['identifier', 'username', 'email', 'login'];
type FindSubject = (name: string) => Promise<ThrottleSubject>;
const findAsTyped: FindSubject = async (name) => ({ id: asTyped(name), networks: [] });

/**
 * Counts a try against its network and against the account that it names, in one statement. An account has a counter for
 * each network from which its user has signed in before, and one that all strangers share. So strangers lock out each
 * other, not the user. A locked account looks like a wrong password and takes as long: the strategy is asked about a user
 * who does not exist, so it cannot be used to guess.
 * @throws {Problem} 429 `rate_limited` for the network
 */
export async function throttleLogin(
  ctx: Context,
  req: Request,
  strategy: AuthStrategy,
  strategyContext: StrategyContext<never>,
): Promise<LoginThrottle> {
  const { account, credentials, kind } = strategy;
  const body = req.body as Record<string, unknown> | undefined;
  const field = account?.field ?? USUAL_FIELDS.find((name) => typeof body?.[name] === 'string');
  const named = credentials && field && body?.[field];
  const name = typeof named === 'string' ? named : undefined;
  const find = account?.find;
  const subjectOf: FindSubject = find ? (each) => find(each, strategyContext) : findAsTyped;
  if (kind !== 'login') return uncounted(name, subjectOf);
  const throttle = await countTry(ctx, req, name, subjectOf);
  if (throttle.locked) req.body = { ...body, [field!]: unknownName(ctx) };
  return throttle;
}

/** A name that nobody has. As with any other name, the strategy need not read the user again. */
function unknownName(ctx: Context): string {
  const name = `x${randomBytes(12).toString('hex')}`;
  handOver(ctx, name, { user: null });
  return name;
}

const uncounted = (name: string | undefined, find: FindSubject): LoginThrottle => ({
  locked: false,
  account: async () => (name === undefined ? undefined : find(name)),
  failed: nothing,
  forgiven: nothing,
  succeeded: nothing,
});

/**
 * The same for a second factor of a user. The answer of whoever is locked out must not be looked at.
 * @throws {Problem} 429 `rate_limited` for the network
 */
export const throttleFactor = (ctx: Context, req: Request, userId: string) =>
  countTry(ctx, req, userId, (id) => factorSubject(ctx, id), factorFailureHits);

async function countTry(
  ctx: Context,
  req: Request,
  name: string | undefined,
  find: FindSubject,
  accountHits = failureHits,
): Promise<LoginThrottle> {
  const { limits, settings } = ctx;
  if (settings.limits === 'off') return uncounted(name, find);
  const network = hitsFor(ctx, req, SIGN_IN, signedInAs(req));
  refuseKnown(ctx, network);
  const subject = name === undefined ? undefined : await find(name);
  const account = subject ? accountHits(ctx, subject, networkOf(req)) : [];
  const full = await limits.hit([...network, ...account]);
  const locked = full?.hit.limit === LOGIN_FAILURES.name;
  if (full && !locked) await refuse(ctx, req, network, full);
  return {
    locked,
    account: async () => subject,
    failed: async (error) => {
      const status = error instanceof Problem ? error.status : 500;
      if (locked && status !== 401) await announceLocked(ctx, req, subject);
      if (!locked && status === 503) await limits.takeBack(account);
    },
    forgiven: () => limits.takeBack([...network, ...account]),
    succeeded: () => limits.takeBack(network, account),
  };
}

/**
 * The same for a strategy that finds the credentials outside the body, such as in a header. While the account is locked,
 * `verify` gets a name that nobody has.
 * @throws {Problem} 429 `rate_limited` for the network
 */
export const throttled = <T>(ctx: Context, ...attempt: Throttled<T>): Promise<T | null> =>
  ctx.handedUser.run({}, () => tryOnce(ctx, ...attempt));

type Throttled<T> = [
  req: Request,
  strategy: string,
  name: string,
  find: FindSubject,
  verify: (name: string) => Promise<T | null>,
];

async function tryOnce<T>(
  ctx: Context,
  ...[req, strategy, name, find, verify]: Throttled<T>
): Promise<T | null> {
  const throttle = await countTry(ctx, req, name, find);
  const found = await verify(throttle.locked ? unknownName(ctx) : name).catch(
    async (error: unknown) => {
      await throttle.failed(error);
      throw error;
    },
  );
  if (found && !throttle.locked) {
    await throttle.succeeded();
    return found;
  }
  await announceRefused(ctx, req, strategy, throttle);
  return null;
}
