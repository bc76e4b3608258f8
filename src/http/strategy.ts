import type { Request } from 'express';
import passport, { type Strategy, type StrategyCreatedStatic } from 'passport';
import type { z, ZodObject, ZodType } from 'zod';
import type { ZodOpenApiSecuritySchemeObject } from 'zod-openapi';
import type { User } from '#models/index';
import { Problem } from '#src/core/problem';
import type { StateStore } from '#src/http/state-store';
import type { Claims } from '#src/core/vouched';

type LoadedUser = User;
declare global {
  namespace Express {
    // eslint-disable-next-line typescript/no-empty-object-type -- this is how Passport is told what a user is
    interface User extends LoadedUser {}
  }
}

/** What a strategy is made from. */
export interface StrategyContext<E> {
  /** Its own settings, parsed. */
  env: E;
  /** Where its provider sends people back to: an absolute URL. For kind `redirect`. */
  callbackUrl: string;
  /** A state store for strategies of the passport-oauth2 family. Without one they check no state; the server then does. */
  state: StateStore;
  /**
   * Says whom the provider vouches for. The server finds, links or makes the user when the strategy has succeeded: what
   * comes back stands for them, is handed to Passport as the user, and has nothing to read.
   */
  userOf: (claims: Claims) => Promise<Express.User>;
}

/** An ordinary Passport strategy, whatever its package's types say of requests. */
export interface PassportStrategy {
  authenticate(req: never, options: never): unknown;
}

/** Whom a sign-in is about, for counting failures: an id, and the networks from which they have signed in before. */
export interface Account {
  id: string;
  networks: readonly string[];
}

/** The contract of a file in strategies/: describe yourself, then build an ordinary Passport strategy. */
export interface AuthStrategy<E extends ZodObject = ZodObject> {
  /** Same as the file; recorded as how a session was started, and as the provider of an identity. */
  name: string;
  /** Where it lives under /auth. Its name, unless said otherwise. */
  path?: string;
  /** `login`: JSON in, tokens out. `redirect`: a round trip to a provider. `bearer`: proves identity on every request. */
  kind: 'login' | 'redirect' | 'bearer';
  summary: string;
  /** Its own environment variables. None set: the strategy is off. Some set: all must be valid, or the server does not start. */
  env?: E;
  /** JSON body of its sign-in route, for kind `login`. With `device: DeviceInput.optional()` clients can name their device. */
  credentials?: ZodType<object>;
  /**
   * Which field of the credentials names who wants in, and whom a name means: failures are counted by it. Without it, by the first of
   * `identifier`, `username`, `email` and `login` that there is, as typed.
   */
  account?: { field: string; find?: (name: string) => Promise<Account> };
  /** OpenAPI security scheme, for kind `bearer`. */
  scheme?: ZodOpenApiSecuritySchemeObject;
  /** For kind `redirect`: `form_post` if the provider sends people back with a form (SAML, Apple), not with a query. */
  responseMode?: 'query' | 'form_post';
  create(context: StrategyContext<z.output<E>>): PassportStrategy;
}
export const defineStrategy = <E extends ZodObject = ZodObject<{}>>(strategy: AuthStrategy<E>): AuthStrategy<E> => strategy;

type Done = (error: Error | null, user?: Express.User | false, info?: Problem) => void;

/** Passport's callback is the last argument; or the last function, where a package hands on the request after it. */
export const callbackAt = (args: readonly unknown[]): number => args.findLastIndex((each) => typeof each === 'function');

/**
 * Adapts an async function to Passport's verify callback. `null` means "not you"; a thrown 401 Problem means
 * "not you, because"; anything else that is thrown means that we broke.
 */
export const verify = <A extends unknown[]>(find: (...args: A) => Promise<Express.User | null>) => {
  const adapted = (...args: [...A, Done]): void => {
    const [done] = args.splice(callbackAt(args), 1) as [Done];
    find(...(args as unknown as A)).then(
      (user) => done(null, user ?? false),
      (error: Error) => (error instanceof Problem && error.status === 401 ? done(null, false, error) : done(error)),
    );
  };
  return Object.defineProperty(adapted, 'length', { value: find.length + 1 }); // some strategies choose arguments by arity
};

/** For credentials that no package covers: read the request, answer the user or null. */
export const custom = (find: (req: Request) => Promise<Express.User | null>): Strategy =>
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
 * For a strategy that must ask its provider something before it can be made. It is made when it is first needed, so that a
 * provider that is away keeps nobody from starting the server; and again, if that failed.
 */
export const later = (make: () => Promise<PassportStrategy>): PassportStrategy => {
  let made: Promise<PassportStrategy> | undefined;
  return Object.assign(new passport.Strategy(), {
    async authenticate(this: StrategyCreatedStatic, req: Request, options: unknown) {
      made ??= make();
      const strategy = await made.catch((error: unknown) => {
        made = undefined;
        throw error;
      });
      const outcomes = Object.fromEntries(OUTCOMES.map((name) => [name, this[name]]));
      await (Object.assign(Object.create(strategy), outcomes) as PassportStrategy).authenticate(req as never, options as never);
    },
  });
};
