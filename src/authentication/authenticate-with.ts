import type { Request, RequestHandler, Response } from 'express';
import type { AuthenticateCallback } from 'passport';
import { throttleLogin } from '#src/authentication/login-throttle';
import type { Identity } from '#src/authentication/sign-in';
import { failureReason } from '#src/authentication/strategy-failure';
import type { Authenticated } from '#src/authentication/wrap';
import type { Context } from '#src/context';
import { clientIp } from '#src/platform/http/client-ip';
import { Problem } from '#src/platform/http/problem';
import { ProviderProfile } from '#src/strategy-kit/provider-profile';
import type { User } from '#models/user';

const FOR_SIGN_IN = Symbol('for sign-in');
/** True when a strategy is called by `authenticateWith`, whose caller goes on with the sign-in pipeline. */
export const isForSignIn = (options: unknown): boolean =>
  typeof options === 'object' && options !== null && FOR_SIGN_IN in options;

/**
 * Asks one strategy who somebody is. The answer is for the sign-in pipeline, which finds the user. Null: the strategy has
 * told the response where to send the browser. A failure counts against the account that was named.
 * @throws {Problem} 401 `invalid_credentials`, and whatever the strategy fails with
 */
export async function authenticateWith(
  ctx: Context,
  name: string,
  req: Request,
  res: Response,
): Promise<Identity | null> {
  const { strategies } = ctx;
  const strategy = strategies.on.find((each) => each.name === name)!;
  const throttle = await throttleLogin(ctx, req, strategy, strategies.contexts.get(name)!);
  try {
    const who = await callStrategy(ctx, name, req, res);
    if (throttle.locked) throw new Problem('invalid_credentials');
    if (who === null) return null;
    const refused = async (error: unknown): Promise<never> => {
      await throttle.forgiven();
      return refuse(ctx, name, req, error);
    };
    const attempt = { succeeded: throttle.succeeded, refused };
    return who instanceof ProviderProfile
      ? { profile: who, attempt }
      : { user: who as User, attempt };
  } catch (error) {
    await throttle.failed(error);
    return refuse(ctx, name, req, error);
  }
}

const callStrategy = ({ strategies }: Context, name: string, req: Request, res: Response) =>
  new Promise<Authenticated | null>((resolve, reject) => {
    const answer: AuthenticateCallback = (error, found, info) => {
      if (error) reject(error);
      else if (found) resolve(found);
      else reject(new Problem('invalid_credentials', { cause: failureReason(info) }));
    };
    const options = { session: false, [FOR_SIGN_IN]: true };
    const authenticate = strategies.passport.authenticate(name, options, answer) as RequestHandler;
    authenticate(req, res, () => resolve(null));
  });

/** Every refused sign-in looks the same to the client. */
function refuse({ events }: Context, strategy: string, req: Request, error: unknown): never {
  if (!(error instanceof Problem) || error.status !== 401) throw error;
  events.emit('session.refused', { strategy, ip: clientIp(req) });
  throw new Problem('invalid_credentials', { cause: error.cause });
}
