import type { Request } from 'express';
import passport, { type Strategy, type StrategyCreatedStatic } from 'passport';
import { Problem } from '#src/platform/http/problem';
import { lazy } from '#src/platform/lazy';
import type { PassportStrategy, StrategyUser } from '#src/strategy-kit/strategy';

type Done = (error: Error | null, user?: Express.User | false, info?: Problem) => void;

/**
 * The position of Passport's callback among the arguments of a verify function. It is the last
 * function: some packages pass the request after it.
 */
export const callbackAt = (args: readonly unknown[]): number =>
  args.findLastIndex((each) => typeof each === 'function');

/**
 * Adapts an async function to Passport's verify callback. `null` refuses. A 401 Problem that is
 * thrown refuses and gives the reason. Anything else that is thrown is an error of the server.
 */
export const verify = <A extends unknown[]>(find: (...args: A) => Promise<StrategyUser | null>) => {
  const adapted = (...args: [...A, Done]): void => {
    const [done] = args.splice(callbackAt(args), 1) as [Done];
    find(...(args as unknown as A)).then(
      (user) => done(null, (user as Express.User | null) ?? false),
      (error: Error) =>
        error instanceof Problem && error.status === 401 ? done(null, false, error) : done(error),
    );
  };
  // Some packages choose the arguments by the number of parameters.
  return Object.defineProperty(adapted, 'length', { value: find.length + 1 });
};

/** For credentials that no package handles: reads the request and answers the user, or null. */
export const custom = (find: (req: Request) => Promise<StrategyUser | null>): Strategy =>
  Object.assign(new passport.Strategy(), {
    authenticate(this: StrategyCreatedStatic, req: Request) {
      verify(find)(req, (error, user, info) => {
        if (error) this.error(error);
        else if (user) this.success(user);
        else this.fail(info, 401);
      });
    },
  });

const OUTCOMES = ['success', 'fail', 'redirect', 'pass', 'error'] as const;

/**
 * For a strategy that must ask its provider something before it can be created. It is created when
 * it is first needed, so the server starts even if the provider is unavailable. If that fails, the
 * next request tries again.
 */
export const later = (make: () => Promise<PassportStrategy>): PassportStrategy => {
  const made = lazy(make);
  return Object.assign(new passport.Strategy(), {
    async authenticate(this: StrategyCreatedStatic, req: Request, options: unknown) {
      const strategy = await made();
      const outcomes = Object.fromEntries(OUTCOMES.map((name) => [name, this[name]]));
      const attempt = Object.assign(Object.create(strategy), outcomes) as PassportStrategy;
      await attempt.authenticate(req as never, options as never);
    },
  });
};
