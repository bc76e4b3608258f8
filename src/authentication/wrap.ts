import { AsyncLocalStorage } from 'node:async_hooks';
import passport, { type Strategy, type StrategyCreatedStatic } from 'passport';
import type { Request } from 'express';
import { User } from '#models/user';
import { forwardRejections } from '#src/authentication/forward-rejections';
import { asError } from '#src/authentication/strategy-failure';
import { Problem } from '#src/platform/http/problem';
import type { Log } from '#src/platform/log';
import { ProviderProfile } from '#src/strategy-kit/provider-profile';
import { isServerFailure } from '#src/strategy-kit/transient-errors';
import { type PassportStrategy } from '#src/strategy-kit/strategy';
import { Principal } from '#src/users/principal';

/** A strategy may take this long, in milliseconds. */
const TIMEOUT_MS = 3000;

/** What a strategy may call a success: a user of this server loaded with roles, a principal, or a provider profile. */
export type Authenticated = User | Principal | ProviderProfile;

type Outcome = 'success' | 'fail' | 'redirect' | 'pass' | 'error';
type Attempt = Record<Outcome, (...args: never[]) => void> & {
  authenticate(req: Request, options: unknown): unknown;
};
type ErrorHandler = (error: unknown) => void;

/** The error handler of the strategy call that is running, for exceptions that nobody caught. One for each instance. */
export type RunningStrategy = AsyncLocalStorage<ErrorHandler | undefined>;

/** Ends the strategy call that threw an uncaught exception. Answers false if no strategy call threw it. */
export function failRunningStrategy(running: RunningStrategy, log: Log, error: unknown): boolean {
  const fail = running.getStore();
  if (!fail) return false;
  log.error({ err: asError(error) }, 'a strategy threw where nobody could catch it');
  fail(error);
  return true;
}

interface WrapOptions {
  running: RunningStrategy;
  /** For the log. */
  name?: string | undefined;
  timeoutMs?: number;
  /** Refuses a call that does not come from where this strategy may be used. Throws. */
  admit?: (options: unknown) => void;
  /** True for a request that has the credential of this strategy. Others fail without asking it. */
  isAddressed?: (req: Request) => boolean;
  /** Sends a browser to the provider. Without it a redirect is an error. */
  redirect?: (req: Request, url: string) => void;
  /** Turns what the strategy answered into what Passport gives its caller. Without it, it stays as it is. */
  finish?: (who: Authenticated) => Authenticated | Promise<Authenticated>;
}
const refuseRedirect = (): never => {
  throw new Error('Only a strategy of kind redirect may redirect');
};

/**
 * Stands between Passport and a strategy that somebody else wrote. A rejected promise, an exception in a callback, a
 * `pass()`, a redirect, a silence, a second answer, an unknown or disabled user can then neither end the process, nor
 * hang the request, nor let anybody in.
 */
export function wrap(inner: PassportStrategy, how: WrapOptions): Strategy {
  forwardRejections(inner);
  return Object.assign(new passport.Strategy(), {
    authenticate(this: StrategyCreatedStatic, req: Request, options: unknown) {
      if (how.isAddressed && !how.isAddressed(req)) return this.fail(401);
      const call = startCall(this, how);
      const attempt = Object.assign(
        Object.create(inner) as Attempt,
        outcomes(this, call, how, req),
      );
      call.run(() => {
        how.admit?.(options);
        return attempt.authenticate(req, options);
      });
    },
  });
}

/** One call of a strategy. Only its first answer counts, and it must come in time. */
function startCall(
  answer: StrategyCreatedStatic,
  { running, name, timeoutMs = TIMEOUT_MS }: WrapOptions,
) {
  let open = true;
  const once =
    <A extends unknown[]>(answerWith: (...args: A) => void) =>
    (...args: A): void => {
      if (!open) return;
      open = false;
      clearTimeout(timer);
      running.run(undefined, () => answerWith(...args)); // what follows is the server's own code
    };
  const tell = (error: unknown) => answer.error(asError(error));
  const fail = once(tell);
  const timer = setTimeout(() => {
    const cause = new Error(`The strategy ${nameOf({ name })} did not answer in time`);
    fail(new Problem('unavailable', { cause }));
  }, timeoutMs);
  const run = (work: () => unknown) => {
    try {
      Promise.resolve(running.run(fail, work)).catch(fail);
    } catch (error) {
      fail(error);
    }
  };
  return { once, tell, fail, run };
}
type Call = ReturnType<typeof startCall>;

/** What the strategy finds as `this.success()` and so on. */
const outcomes = (
  answer: StrategyCreatedStatic,
  call: Call,
  how: WrapOptions,
  req: Request,
): Record<Outcome, unknown> => ({
  success: call.once((who: unknown, info?: object) => succeed(answer, call, how, who, info)),
  fail: call.once((why?: unknown) =>
    isServerFailure(why) ? call.tell(why) : answer.fail(why as string, 401),
  ),
  pass: call.once(() => answer.fail(401)),
  redirect: call.once((url: string) => {
    try {
      (how.redirect ?? refuseRedirect)(req, url);
      answer.pass();
    } catch (error) {
      call.tell(error);
    }
  }),
  error: call.fail,
});

function succeed(
  answer: StrategyCreatedStatic,
  { tell }: Call,
  { name, finish = (who) => who }: WrapOptions,
  who: unknown,
  info?: object,
): void {
  if (!isAuthenticated(who))
    return tell(new Error(`The strategy ${nameOf({ name })} ${notAUser(who)}`));
  if (who instanceof User && who.disabledAt) return answer.fail(new Problem('user_disabled'), 401);
  const done = (found: Authenticated) => answer.success(found as Express.User, info);
  let finished: ReturnType<typeof finish>;
  try {
    finished = finish(who);
  } catch (error) {
    return tell(error);
  }
  if (finished instanceof Promise) finished.then(done, tell);
  else done(finished);
}

const nameOf = ({ name = 'of no name' }: Pick<WrapOptions, 'name'>) => name;

const isAuthenticated = (who: unknown): who is Authenticated =>
  who instanceof User || who instanceof Principal || who instanceof ProviderProfile;

const notAUser = (given: unknown) =>
  given instanceof Promise
    ? 'answered a promise: await what resolveUser answers'
    : 'answered what is not a user: give success() what resolveUser answered, or a User loaded with roles';
