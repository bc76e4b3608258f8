import type { Request, RequestHandler } from 'express';
import type { AuthenticateCallback, PassportStatic } from 'passport';

type Next = (error?: unknown) => void;

/**
 * Stands for a request while Passport asks its strategies, and knows nothing of it afterwards. For each request Passport
 * makes functions that it assigns to properties. V8 takes such functions for ones that stay: it keeps them, and all that
 * they know of, until the whole heap is collected. With the request itself among that, a guarded request took twice the
 * time until V8 had optimized all of its code.
 */
export class AskedFor {
  #asked: { req: Request; answer: AuthenticateCallback; next: Next } | undefined;

  constructor(req: Request, answer: AuthenticateCallback, next: Next) {
    this.#asked = { req, answer, next };
  }

  /** What a strategy is given. */
  static requestOf(asked: Request | AskedFor): Request {
    return asked instanceof AskedFor ? asked.#asked!.req : asked;
  }

  /** The answer, once. Whoever calls this holds the request no longer. */
  end() {
    const asked = this.#asked!;
    this.#asked = undefined;
    return asked;
  }
}

/** Asks strategies with `passport.authenticate`, one after the other. `options`: of that call. */
export function askPassport(
  passport: Pick<PassportStatic, 'authenticate'>,
  names: string[],
  asked: AskedFor,
  options: object = { session: false },
): void {
  const answer: AuthenticateCallback = (...found) => asked.end().answer(...found);
  const authenticate = passport.authenticate(names, options, answer) as RequestHandler;
  authenticate(asked as unknown as Request, undefined as never, (error) => asked.end().next(error));
}
