import { setTimeout as sleep } from 'node:timers/promises';
import type { Request } from 'express';
import { SIGN_IN } from '#src/authentication/limits';
import { asError } from '#src/authentication/strategy-failure';
import type { Context } from '#src/context';
import { clientIp } from '#src/platform/http/client-ip';
import { networkOf } from '#src/platform/http/network';
import { Problem } from '#src/platform/http/problem';
import { limit } from '#src/platform/http/rate-limit';
import { limitClass, withSite, type LimitClass } from '#src/platform/limits/limit-class';
import type { Settings } from '#src/platform/settings/settings';
import type { AuthStrategy, StrategyStep } from '#src/strategy-kit/strategy';

/** A step may take this long, in milliseconds: it may ask a gateway for SMS or mail. */
const TIMEOUT_MS = 10_000;

/**
 * Runs a step of a strategy, in bounded time.
 * @throws {Problem} what the step throws; 503 `unavailable` if it takes too long or its upstream is unavailable
 */
export function runStep(
  ctx: Context,
  req: Pick<Request, 'ip'>,
  strategy: AuthStrategy,
  step: StrategyStep,
  body: object,
): Promise<unknown> {
  const info = { ip: clientIp(req), network: networkOf(req) };
  const context = ctx.strategies.contexts.get(strategy.name)!;
  return inTime(() => step.run(body, context, info));
}

/** Counts the requests for a step. */
export const limitStep = (ctx: Context, ...step: LimitedStep) => limit(ctx, limitOf(...step));

type LimitedStep = [strategy: AuthStrategy, name: string, step: StrategyStep];

function limitOf(...[strategy, name, { limit: given }]: LimitedStep): LimitClass {
  if (!given) return SIGN_IN;
  const rules = (settings: Settings) =>
    withSite(typeof given === 'function' ? given(settings) : given);
  return limitClass(`${strategy.name} ${name}`, rules);
}

/** The same for any function of a strategy. */
export async function inTime<T>(work: () => Promise<T>): Promise<T> {
  const timer = new AbortController();
  const timedOut = sleep(TIMEOUT_MS, undefined, { signal: timer.signal, ref: false }).then(() => {
    throw new Problem('unavailable', { cause: new Error('A step did not answer in time') });
  });
  timedOut.catch(() => {}); // aborted
  try {
    return await Promise.race([work(), timedOut]);
  } catch (error) {
    throw asError(error);
  } finally {
    timer.abort();
  }
}
