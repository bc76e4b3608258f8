import type { Request, RequestHandler, Response } from 'express';
import type { AuthenticateCallback } from 'passport';
import { throttleLogin, type LoginThrottle } from '#src/authentication/login-throttle';
import { spendChecked } from '#src/authentication/prove-key';
import { announceRefused } from '#src/authentication/refused-sign-in';
import type { Identity } from '#src/authentication/sign-in';
import { providerReason } from '#src/authentication/provider-reason';
import { failureReason, NO_REASON } from '#src/authentication/strategy-failure';
import type { Authenticated } from '#src/authentication/wrap';
import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import { traced } from '#src/platform/traces';
import { ProvenAddress } from '#src/strategy-kit/proven-address';
import { ProviderProfile } from '#src/strategy-kit/provider-profile';
import type { User } from '#models/user';

const FOR_SIGN_IN = Symbol('for sign-in');
/** True when a strategy is called by `authenticateWith`, whose caller goes on with the sign-in pipeline. */
export const isForSignIn = (options: unknown): boolean =>
  typeof options === 'object' && options !== null && FOR_SIGN_IN in options;

/**
 * Asks one strategy who somebody is. The answer is for the sign-in pipeline, which finds the user. Null: the strategy has
 * told the response where to send the browser. A failure counts against the account that was named.
 * `options` are for the Passport strategy.
 * @throws {Problem} 401 `invalid_credentials`, and whatever the strategy fails with
 */
export const authenticateWith = (
  ctx: Context,
  name: string,
  req: Request,
  res: Response,
  options: object = {},
): Promise<Identity | null> =>
  ctx.handedUser.run({}, () => askStrategy(ctx, name, req, res, options));

async function askStrategy(
  ctx: Context,
  name: string,
  req: Request,
  res: Response,
  options: object,
): Promise<Identity | null> {
  const { strategies } = ctx;
  const strategy = strategies.on.find((each) => each.name === name)!;
  const throttle = await throttleLogin(ctx, req, strategy, strategies.contexts.get(name)!);
  await spendChecked(ctx, req);
  try {
    const who = await traced(ctx, `strategy ${name}`, () =>
      callStrategy(ctx, name, req, res, options),
    );
    if (throttle.locked) throw new Problem('invalid_credentials');
    if (who === null) return null;
    const refused = async (error: unknown): Promise<never> => {
      await throttle.forgiven();
      return refuse(ctx, name, req, error, throttle);
    };
    const attempt = { succeeded: throttle.succeeded, refused };
    return { ...ownerOf(who), attempt };
  } catch (error) {
    await throttle.failed(error);
    return refuse(ctx, name, req, error, throttle);
  }
}

/** What the sign-in pipeline takes, of what a strategy answered. */
export function ownerOf(who: Authenticated): Identity {
  if (who instanceof ProviderProfile) return { profile: who };
  return who instanceof ProvenAddress ? { address: who } : { user: who as User };
}

const callStrategy = (
  { strategies }: Context,
  name: string,
  req: Request,
  res: Response,
  more: object,
) =>
  new Promise<Authenticated | null>((resolve, reject) => {
    const answer: AuthenticateCallback = (error, found, info) => {
      if (error) reject(error);
      else if (found) resolve(found);
      else reject(new Problem('invalid_credentials', { cause: failureReason(info) }));
    };
    const options = { ...more, session: false, [FOR_SIGN_IN]: true };
    const authenticate = strategies.passport.authenticate(name, options, answer) as RequestHandler;
    authenticate(req, res, () => resolve(null));
  });

/** Every refused sign-in looks the same to the client. The log knows the reason, if there is one. */
async function refuse(
  ctx: Context,
  name: string,
  req: Request,
  error: unknown,
  throttle: LoginThrottle,
): Promise<never> {
  if (!(error instanceof Problem) || error.status !== 401) throw error;
  await announceRefused(ctx, req, name, throttle);
  const { cause } = error;
  // The error end of redirects logs those.
  const isLogin = ctx.strategies.on.some((each) => each.name === name && each.kind === 'login');
  if (isLogin && cause instanceof Error && cause.message !== NO_REASON)
    ctx.log.warn({ err: cause, strategy: name, ...providerReason(cause) }, 'a sign-in failed');
  throw new Problem('invalid_credentials', { cause });
}
