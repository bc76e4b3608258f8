import { bearsHugeValues, bearsLists, knowsNoPrototypes, letsNobodyInForNothing } from '#src/http/conformance/hostile';
import { keepsSecrets, packsLight, tiesTheWayBack } from '#src/http/conformance/journey';
import {
  alwaysAnswers,
  answersOnce,
  describesItself,
  keepsApart,
  neverPasses,
  redirectsOnlyThere,
  refuses,
  tellsWhenItBreaks,
  vouches,
} from '#src/http/conformance/manners';
import { goodOf, type Check } from '#src/http/conformance/scene';
import { openStage, type Options } from '#src/http/conformance/stage';
import type { AuthStrategy } from '#src/http/strategy';

export type { Example, Options, Sample } from '#src/http/conformance/stage';

const CHECKS: [name: string, check: Check, kind?: AuthStrategy['kind']][] = [
  ['describes itself', describesItself],
  ['vouches for exactly one person', vouches],
  ['refuses what is wrong with fail()', refuses],
  ['says error() when it cannot look people up', tellsWhenItBreaks],
  ['never calls pass()', neverPasses],
  ['always answers', alwaysAnswers],
  ['answers once', answersOnce],
  ['keeps two requests apart', keepsApart],
  ['lets nobody in for nothing', letsNobodyInForNothing],
  ['repeats no secret', keepsSecrets],
  ['redirects only where it may', redirectsOnlyThere],
  ['takes __proto__ for a word', knowsNoPrototypes],
  ['refuses huge values quickly', bearsHugeValues],
  ['refuses lists where it wants a text', bearsLists],
  ['ties the way back to the browser that left', tiesTheWayBack, 'redirect'],
  ['keeps little in its session', packsLight, 'redirect'],
];

/** One thing that a strategy must do. `run` throws an Error that tells the author what to change. */
export interface ConformanceCheck {
  name: string;
  run: () => Promise<void>;
}

/**
 * What must hold for every strategy, as checks for any test runner: `for (const { name, run } of strategyConformance(…)) it(name, run)`.
 * Each makes the strategy anew and asks it over HTTP on loopback, without the wrap by which the server mends what others get wrong.
 */
export const strategyConformance = (strategy: AuthStrategy, options: Options): ConformanceCheck[] =>
  CHECKS.filter(([, , kind = strategy.kind]) => kind === strategy.kind).map(([name, check]) => ({
    name,
    run: async () => {
      const stage = await openStage(strategy, options);
      try {
        await check({ strategy, options, stage, good: goodOf(options), bad: options.bad, sent: [] });
      } finally {
        await stage.close();
      }
    },
  }));
