import type { Request } from 'express';
import passport, { type Strategy, type StrategyCreatedStatic } from 'passport';
import type { z, ZodObject, ZodType } from 'zod';
import type { ZodOpenApiSecuritySchemeObject } from 'zod-openapi';
import type { User } from '#models/index';
import { Problem } from '#src/core/problem';

/** The contract of a file in strategies/: describe yourself, then build an ordinary Passport strategy. */
export interface AuthStrategy<E extends ZodObject = ZodObject> {
  /** Same as the file; recorded as how a session was started. */
  name: string;
  /** Where it lives under /auth. Its name, unless said otherwise. */
  path?: string;
  /** `login`: JSON in, tokens out. `bearer`: proves identity on every request. */
  kind: 'login' | 'bearer';
  summary: string;
  /** Its own environment variables. None set: the strategy is off. Some set: all must be valid, or the server does not start. */
  env?: E;
  /** JSON body of its sign-in route, for kind `login`. With `device: DeviceInput.optional()` clients can name their device. */
  credentials?: ZodType<object>;
  /** OpenAPI security scheme, for kind `bearer`. */
  scheme?: ZodOpenApiSecuritySchemeObject;
  create(context: { env: z.output<E> }): Strategy;
}
export const defineStrategy = <E extends ZodObject = ZodObject<{}>>(strategy: AuthStrategy<E>): AuthStrategy<E> => strategy;

type Done = (error: unknown, user?: User | false, info?: Problem) => void;

/**
 * Adapts an async function to Passport's verify callback. `null` means "not you"; a thrown 401 Problem means
 * "not you, because"; anything else that is thrown means that we broke.
 */
export const verify = <A extends unknown[]>(find: (...args: A) => Promise<User | null>) => {
  const adapted = (...args: [...A, Done]): void => {
    const done = args.pop() as Done;
    find(...(args as unknown as A)).then(
      (user) => done(null, user ?? false),
      (error: unknown) => (error instanceof Problem && error.status === 401 ? done(null, false, error) : done(error)),
    );
  };
  return Object.defineProperty(adapted, 'length', { value: find.length + 1 }); // some strategies choose arguments by arity
};

/** For credentials that no package covers: read the request, answer the user or null. */
export const custom = (find: (req: Request) => Promise<User | null>): Strategy =>
  Object.assign(new passport.Strategy(), {
    authenticate(this: StrategyCreatedStatic, req: Request) {
      verify(find)(req, (error, user, info) => {
        if (error) this.error(error);
        else if (user) this.success(user);
        else this.fail(info, 401);
      });
    },
  });
