import { goodOf, type Check } from '#src/strategy-kit/conformance/context';
import {
  alwaysAnswers,
  answersOnce,
  keepsApart,
  neverPasses,
} from '#src/strategy-kit/conformance/answer-checks';
import {
  answersSteps,
  describesItself,
  identifiesOneUser,
  redirectsOnlyThere,
  refuses,
  tellsWhenItBreaks,
} from '#src/strategy-kit/conformance/contract-checks';
import type { Options } from '#src/strategy-kit/conformance/options';
import { openHarness } from '#src/strategy-kit/conformance/harness';
import {
  bearsHugeValues,
  bearsLists,
  knowsNoPrototypes,
  letsNobodyInForNothing,
} from '#src/strategy-kit/conformance/malicious-input';
import {
  bindsCallback,
  repeatsNoSecret,
  storesLittle,
} from '#src/strategy-kit/conformance/redirect-checks';
import type { AuthStrategy } from '#src/strategy-kit/strategy';

export type { Example, Options, Sample } from '#src/strategy-kit/conformance/options';

type AppliesTo = (strategy: AuthStrategy) => boolean;
const always: AppliesTo = () => true;
const redirects: AppliesTo = ({ kind }) => kind === 'redirect';
const hasSteps: AppliesTo = ({ steps }) => Object.keys(steps ?? {}).length > 0;

const CHECKS: [name: string, check: Check, appliesTo: AppliesTo][] = [
  ['describes itself', describesItself, always],
  ['identifies exactly one user', identifiesOneUser, always],
  ['refuses what is wrong with fail()', refuses, always],
  ['says error() when it cannot look people up', tellsWhenItBreaks, always],
  ['never calls pass()', neverPasses, always],
  ['always answers', alwaysAnswers, always],
  ['answers once', answersOnce, always],
  ['keeps two requests apart', keepsApart, always],
  ['lets nobody in for nothing', letsNobodyInForNothing, always],
  ['repeats no secret', repeatsNoSecret, always],
  ['redirects only where it may', redirectsOnlyThere, always],
  ['takes __proto__ for a word', knowsNoPrototypes, always],
  ['refuses huge values quickly', bearsHugeValues, always],
  ['refuses lists where it wants a text', bearsLists, always],
  ['binds the callback to the browser that started', bindsCallback, redirects],
  ['keeps little in its session', storesLittle, redirects],
  ['answers its steps', answersSteps, hasSteps],
];

/** A rule for strategies. `run` throws an Error that tells the author what to change. */
export interface ConformanceCheck {
  name: string;
  run: () => Promise<void>;
}

/**
 * What every strategy must do, as checks for any test runner:
 * `for (const { name, run } of strategyConformance(…)) it(name, run)`.
 * Each check creates the strategy anew and sends it requests over HTTP on loopback, without the
 * wrapper by which the server corrects mistakes of strategies.
 */
export const strategyConformance = (strategy: AuthStrategy, options: Options): ConformanceCheck[] =>
  CHECKS.filter(([, , appliesTo]) => appliesTo(strategy)).map(([name, check]) => ({
    name,
    run: async () => {
      const harness = await openHarness(strategy, options);
      const good = goodOf(options);
      try {
        await check({ strategy, options, harness, good, bad: options.bad, sent: [] });
      } finally {
        await harness.close();
      }
    },
  }));
