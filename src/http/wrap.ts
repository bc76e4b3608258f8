import { AsyncLocalStorage } from 'node:async_hooks';
import passport, { type Strategy, type StrategyCreatedStatic } from 'passport';
import type { Request } from 'express';
import { User } from '#models/index';
import { log } from '#src/core/log';
import { Problem } from '#src/core/problem';
import { isAway } from '#src/http/away';
import { Vouched } from '#src/core/vouched';
import { callbackAt, type PassportStrategy } from '#src/http/strategy';

/** How long a strategy may think, in milliseconds. */
const DEADLINE = 3000;

type Outcome = 'success' | 'fail' | 'redirect' | 'pass' | 'error';
type Attempt = Record<Outcome, (...args: never[]) => void> & { authenticate(req: Request, options: unknown): unknown };
type Verify = (...args: unknown[]) => unknown;

/** Whose attempt it is that runs: whatever a strategy set going, until it answers and after. */
const thinking = new AsyncLocalStorage<((error: unknown) => void) | undefined>();

/** Ends the attempt of the strategy that threw an exception which nobody caught, and answers true; false if it was no strategy's. */
export function blameStrategy(error: unknown): boolean {
  const broke = thinking.getStore();
  if (!broke) return false;
  log.error({ err: asError(error) }, 'a strategy threw where nobody could catch it');
  broke(error);
  return true;
}

interface Options {
  /** For the log. */
  name?: string;
  deadline?: number;
  /** Sees people off to their provider. Without it a redirect is an error. */
  depart?: (req: Request, url: string) => void;
}
const stay = (): never => {
  throw new Error('Only a strategy of kind redirect may redirect');
};

/**
 * Stands between Passport and a strategy that somebody else wrote. A rejected promise, an exception in a callback, a `pass()`, a redirect,
 * a silence, a second answer, a user that is none or is disabled can then neither end the process, nor hang the request, nor open the door.
 */
export function wrap(inner: PassportStrategy, { name = 'of no name', deadline = DEADLINE, depart = stay }: Options = {}): Strategy {
  keepRejections(inner as unknown as Record<string, Verify>);
  return Object.assign(new passport.Strategy(), {
    authenticate(this: StrategyCreatedStatic, req: Request, options: unknown) {
      let open = true;
      const once =
        <A extends unknown[]>(answer: (...args: A) => void) =>
        (...args: A): void => {
          if (!open) return;
          open = false;
          clearTimeout(timer);
          thinking.run(undefined, () => answer(...args)); // what follows is ours
        };
      const say = (error: unknown) => this.error(asError(error));
      const broke = once(say);
      const timer = setTimeout(
        () => broke(new Problem('unavailable', { cause: new Error(`The strategy ${name} did not answer in time`) })),
        deadline,
      );
      const attempt = Object.assign(Object.create(inner) as Attempt, {
        success: once((user: unknown, info?: object) => {
          if (!(user instanceof User || user instanceof Vouched)) say(new Error(`The strategy ${name} ${noUser(user)}`));
          else if ('disabledAt' in user && user.disabledAt) this.fail(new Problem('user_disabled'), 401);
          else this.success(user as Express.User, info);
        }),
        fail: once((why?: unknown) => (isOurs(why) ? say(why) : this.fail(why as string, 401))),
        pass: once(() => this.fail(401)),
        redirect: once((url: string) => {
          try {
            depart(req, url);
            this.pass();
          } catch (error) {
            say(error);
          }
        }),
        error: broke,
      });
      try {
        Promise.resolve(thinking.run(broke, () => attempt.authenticate(req, options))).catch(broke);
      } catch (error) {
        broke(error);
      }
    },
  });
}

/** Where strategies keep the function that their author gave them. */
const VERIFIERS = ['_verify', 'verify', '_signonVerify', '_logoutVerify', '_secret', '_validate', '_setup'];

/** Most strategies drop what their verify function returns; an async one that rejects would end the process. */
function keepRejections(strategy: Record<string, Verify>): void {
  for (const name of VERIFIERS.filter((key) => Object.hasOwn(strategy, key) && typeof strategy[key] === 'function')) {
    const original = strategy[name]!;
    const kept: Verify = function (this: unknown, ...args) {
      const done = args[callbackAt(args)] as (error: unknown) => void;
      const result = original.apply(this, args);
      if (result instanceof Promise) result.catch((error: unknown) => done(asError(error)));
      return result;
    };
    strategy[name] = Object.defineProperty(kept, 'length', { value: original.length });
  }
}

const noUser = (given: unknown) =>
  given instanceof Promise
    ? 'vouched for a promise: await what userOf answers'
    : 'vouched for what is not a user: give success() what userOf answered, or a User loaded with roles';

/** passport-jwt calls it a wrong token when the keys cannot be reached: a client would throw a good token away. */
export const isOurs = (why: unknown) => (why instanceof Problem ? why.status !== 401 : isAway(why));

/** What a strategy throws is logged, and it may repeat the token that it could not use. */
export const withoutTokens = (text = '') => text.replaceAll(/[\w.~+=-]{40,}/g, '…');

function asError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('A strategy failed without saying why');
  const clean = Object.assign(error, { message: withoutTokens(error.message), stack: withoutTokens(error.stack) });
  return !(clean instanceof Problem) && isAway(clean) ? new Problem('unavailable', { cause: clean }) : clean;
}
