import { setTimeout as sleep } from 'node:timers/promises';
import { asError } from '#src/authentication/strategy-failure';
import { Problem } from '#src/platform/http/problem';
import type { StepInfo, StrategyContext, StrategyStep } from '#src/strategy-kit/strategy';

/** A step may take this long, in milliseconds: it may ask a gateway for SMS or mail. */
const TIMEOUT_MS = 10_000;

/**
 * Runs a step of a strategy, in bounded time.
 * @throws {Problem} what the step throws; 503 `unavailable` if it takes too long or its upstream is unavailable
 */
export const runStep = (
  step: StrategyStep,
  body: object,
  context: StrategyContext<never>,
  info: StepInfo,
): Promise<unknown> => inTime(() => step.run(body, context, info));

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
