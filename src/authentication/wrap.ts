import { AsyncLocalStorage } from 'node:async_hooks';
import passport, { type Strategy, type StrategyCreatedStatic } from 'passport';
import type { Request } from 'express';
import { User } from '#models/user';
import { AskedFor } from '#src/authentication/ask-passport';
import { forwardRejections } from '#src/authentication/forward-rejections';
import { asError } from '#src/authentication/strategy-failure';
import { Problem } from '#src/platform/http/problem';
import type { Log } from '#src/platform/log';
import { ProvenAddress } from '#src/strategy-kit/proven-address';
import { ProviderProfile } from '#src/strategy-kit/provider-profile';
import { isServerFailure } from '#src/strategy-kit/transient-errors';
import { type PassportStrategy } from '#src/strategy-kit/strategy';
import { Principal } from '#src/users/principal';

/** A strategy may take this long, in milliseconds. */
const TIMEOUT_MS = 3000;

/** What a strategy may call a success: a user of this server loaded with roles, a principal, a provider profile, or an address that was proved. */
export type Authenticated = User | Principal | ProviderProfile | ProvenAddress;

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
  /** Is told of each refusal, with the reason that the strategy gave. */
  refused?: (req: Request, why: unknown) => void;
  /** Sends a browser to the provider. Without it a redirect is an error. */
  redirect?: (req: Request, url: string) => void;
  /** Turns what the strategy answered into what Passport gives its caller. Without it, it stays as it is. `options`: of `passport.authenticate`. */
  finish?: (who: Authenticated, options: unknown) => Authenticated | Promise<Authenticated>;
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
    authenticate(this: StrategyCreatedStatic, asked: Request | AskedFor, options: unknown) {
      const req = AskedFor.requestOf(asked);
      if (how.isAddressed && !how.isAddressed(req)) return this.fail(401);
      const call = new Call(this, how);
      const attempt = attemptOf(inner, this, call, how, req, options);
      call.run(() => {
        how.admit?.(options);
        return attempt.authenticate(req, options);
      });
    },
  });
}

/** One call of a strategy. Only its first answer counts, and it must come in time. */
class Call {
  readonly #answer: StrategyCreatedStatic;
  readonly #how: WrapOptions;
  #isOpen = true;
  #isInside = false;
  #timer: NodeJS.Timeout | undefined;
  #told: (() => void) | undefined;

  constructor(answer: StrategyCreatedStatic, how: WrapOptions) {
    this.#answer = answer;
    this.#how = how;
  }

  /** What follows an answer is the server's own code: it runs outside of the call. */
  settle(tellIt: () => void): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#timer);
    if (this.#isInside) this.#told = tellIt;
    else this.#how.running.run(undefined, tellIt);
  }

  /** A 401 is a refusal, however it is said: the next strategy is asked. */
  readonly tell = (error: unknown): void => {
    if (error instanceof Problem && error.status === 401) this.#answer.fail(error, 401);
    else this.#answer.error(asError(error));
  };

  readonly fail = (error: unknown): void => this.settle(() => this.tell(error));

  run(work: () => unknown): void {
    this.#isInside = true;
    try {
      const result = this.#how.running.run(this.fail, work);
      if (result !== undefined) Promise.resolve(result).catch(this.fail);
    } catch (error) {
      this.fail(error);
    }
    this.#isInside = false;
    if (this.#told) return this.#told();
    // Most strategies that wait answer within this turn of the event loop and need no timer. This immediate is never
    // cleared: after an exception in the one before it, Node would lose all that wait in its turn.
    setImmediate(() => {
      if (this.#isOpen) this.#timer = setTimeout(this.#late, this.#how.timeoutMs ?? TIMEOUT_MS);
    });
  }

  readonly #late = (): void => {
    const cause = new Error(`The strategy ${nameOf(this.#how)} did not answer in time`);
    this.fail(new Problem('unavailable', { cause }));
  };
}

/** The strategy, with what it finds as `this.success()` and so on. */
function attemptOf(
  inner: PassportStrategy,
  answer: StrategyCreatedStatic,
  call: Call,
  how: WrapOptions,
  req: Request,
  options: unknown,
): Attempt {
  const redirected = (url: string) => {
    try {
      (how.redirect ?? refuseRedirect)(req, url);
      answer.pass();
    } catch (error) {
      call.tell(error);
    }
  };
  const failed = (why: unknown) => {
    how.refused?.(req, why);
    if (isServerFailure(why)) call.tell(why);
    else answer.fail(why as string, 401);
  };
  // An object literal: V8 takes a function that is assigned to a property by itself for one that stays, and keeps what it
  // knows of, such as the request, until all of the heap is collected.
  return Object.assign(Object.create(inner) as PassportStrategy, {
    success: (who: unknown, info?: object) =>
      call.settle(() => succeed(answer, call, how, options, who, info)),
    fail: (why?: unknown) => call.settle(() => failed(why)),
    pass: () => call.settle(() => answer.fail(401)),
    redirect: (url: string) => call.settle(() => redirected(url)),
    error: call.fail,
  });
}

function succeed(
  answer: StrategyCreatedStatic,
  { tell }: Call,
  { name, finish = (who) => who }: WrapOptions,
  options: unknown,
  who: unknown,
  info?: object,
): void {
  if (!isAuthenticated(who))
    return tell(new Error(`The strategy ${nameOf({ name })} ${notAUser(who)}`));
  if (who instanceof User && who.disabledAt) return answer.fail(new Problem('user_disabled'), 401);
  const done = (found: Authenticated) => answer.success(found as Express.User, info);
  let finished: ReturnType<typeof finish>;
  try {
    finished = finish(who, options);
  } catch (error) {
    return tell(error);
  }
  if (finished instanceof Promise) finished.then(done, tell);
  else done(finished);
}

const nameOf = ({ name = 'of no name' }: Pick<WrapOptions, 'name'>) => name;

export const isAuthenticated = (who: unknown): who is Authenticated =>
  [User, Principal, ProviderProfile, ProvenAddress].some((kind) => who instanceof kind);

const notAUser = (given: unknown) =>
  given instanceof Promise
    ? 'answered a promise: await what resolveUser answers'
    : 'answered what is not a user: give success() what resolveUser or resolveAddress answered, or a User loaded with roles';
