import passport, { type Strategy, type StrategyCreatedStatic } from 'passport';
import type { Request } from 'express';
import { isDatabaseAway } from '#models/database';
import { User } from '#models/index';
import { Problem } from '#src/core/problem';

/** How long a strategy may think, in milliseconds. */
const DEADLINE = 3000;

type Outcome = 'success' | 'fail' | 'redirect' | 'pass' | 'error';
type Attempt = Record<Outcome, (...args: never[]) => void> & { authenticate(req: Request, options: unknown): unknown };
type Verify = (...args: unknown[]) => unknown;

/**
 * Stands between Passport and a strategy that somebody else wrote. A rejected promise, a `pass()`, a redirect,
 * a silence, a second answer, a user that is none or is disabled can then neither end the process, nor hang the request, nor open the door.
 */
export function wrap(inner: Strategy, deadline = DEADLINE): Strategy {
  keepRejections(inner as { _verify?: Verify });
  return Object.assign(new passport.Strategy(), {
    authenticate(this: StrategyCreatedStatic, req: Request, options: unknown) {
      let open = true;
      const once =
        <A extends unknown[]>(answer: (...args: A) => void) =>
        (...args: A): void => {
          if (!open) return;
          open = false;
          clearTimeout(timer);
          answer(...args);
        };
      const broke = once((error: unknown) => this.error(asError(error)));
      const timer = setTimeout(
        () => broke(new Problem('unavailable', { cause: new Error('A strategy did not answer in time') })),
        deadline,
      );
      const attempt = Object.assign(Object.create(inner) as Attempt, {
        success: once((user: unknown, info?: object) => {
          if (!(user instanceof User)) this.error(new Error('A strategy vouched for something that is not a user'));
          else if (user.disabledAt) this.fail(new Problem('user_disabled'), 401);
          else this.success(user, info);
        }),
        fail: once((why?: unknown) => (isOurs(why) ? this.error(asError(why)) : this.fail(why as string, 401))),
        pass: once(() => this.fail(401)),
        redirect: once(() => this.error(new Error('Only a strategy of kind redirect may redirect'))),
        error: broke,
      });
      try {
        Promise.resolve(attempt.authenticate(req, options)).catch(broke);
      } catch (error) {
        broke(error);
      }
    },
  });
}

/** Most strategies drop what their verify function returns; an async one that rejects would end the process. */
function keepRejections(strategy: { _verify?: Verify }): void {
  const original = strategy._verify;
  if (typeof original !== 'function') return;
  const kept: Verify = function (this: unknown, ...args) {
    const done = args.at(-1) as (error: unknown) => void;
    const result = original.apply(this, args);
    if (result instanceof Promise) result.catch((error: unknown) => done(asError(error)));
    return result;
  };
  strategy._verify = Object.defineProperty(kept, 'length', { value: original.length });
}

/** passport-jwt calls it a wrong token when the keys cannot be reached: a client would throw a good token away. */
const isOurs = (why: unknown) => (why instanceof Problem ? why.status !== 401 : isDatabaseAway(why ?? {}));

/** What a strategy throws is logged, and it may repeat the token that it could not use. */
const withoutTokens = (text = '') => text.replaceAll(/[\w.~+=-]{40,}/g, '…');

function asError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('A strategy failed without saying why');
  return Object.assign(error, { message: withoutTokens(error.message), stack: withoutTokens(error.stack) });
}
