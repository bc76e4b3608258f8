import type { RequestHandler } from 'express';
import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import { Principal } from '#src/users/principal';

/** Puts a guard on a route of a host app. To it, a principal of another instance in this process is none. */
export const onHostRoute =
  ({ strategies }: Pick<Context, 'strategies'>, guard: RequestHandler): RequestHandler =>
  (req, res, next) => {
    const { user } = req;
    if (!(user instanceof Principal && strategies.letIn.has(user)))
      throw new Problem('token_missing');
    return guard(req, res, next);
  };
