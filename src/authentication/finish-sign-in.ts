import type { Request } from 'express';
import type { GivenFactor } from '#src/authentication/factor-answers';
import { throttleFactor } from '#src/authentication/login-throttle';
import { announceRefused } from '#src/authentication/refused-sign-in';
import { readWaitingSignIn, type WaitingSignIn } from '#src/authentication/second-factor';
import { signIn, type Identity, type SignedIn } from '#src/authentication/sign-in';
import type { SignInMethod } from '#src/authentication/sign-in-policies';
import type { Context } from '#src/context';
import type { ProvenFactor } from '#src/factors/factor-kind';
import { countGuess, spendGrant } from '#src/one-time-tokens/one-time-tokens';
import { Problem } from '#src/platform/http/problem';
import type { Device } from '#src/sessions/device';

/** What the sign-in pipeline takes. */
type Proven = [identity: Identity, device: Device, method: SignInMethod];

/** Finishes a sign-in that waits for its second factor. @throws {Problem} what `proveFactor` and the sign-in pipeline throw */
export const finishSignIn = async (
  ctx: Context,
  req: Request,
  mfaToken: string,
  given: GivenFactor | undefined,
  device: Device,
): Promise<SignedIn> => signIn(ctx, ...(await proveFactor(ctx, req, mfaToken, given, device)));

/**
 * What the sign-in pipeline takes of a sign-in that waited for its second factor. The token works once, and for the app
 * that asked. Each wrong answer counts against the account, over all tokens and networks, and the fifth one ends the token.
 * @throws {Problem} 400 `invalid_code` for a token that is void; 401 `invalid_credentials` for a wrong answer, and for every
 * answer while the account is locked; 409 `factor_unreadable`; 429 `rate_limited` for the network
 */
export async function proveFactor(
  ctx: Context,
  req: Request,
  mfaToken: string,
  given: GivenFactor | undefined,
  device: Device,
  app?: string,
): Promise<Proven> {
  const waiting = await readWaitingSignIn(ctx, mfaToken);
  const { grant, user } = waiting;
  const { method } = grant.data;
  if (method.app !== app) throw new Problem('invalid_code');
  if ((grant.data.device.dpopKey ?? null) !== (device.dpopKey ?? null))
    throw new Problem('invalid_dpop_proof', {
      members: { detail: 'This sign-in was begun with another key, or with none' },
    });
  const throttle = await throttleFactor(ctx, req, user.id);
  const proven = await proveOnce(ctx, waiting, throttle.locked ? undefined : given).catch(
    async (error: unknown) => {
      await (isUnreadable(error) ? throttle.forgiven() : throttle.failed(error));
      throw error;
    },
  );
  if (!proven) {
    await announceRefused(ctx, req, method.strategy, throttle);
    throw new Problem('invalid_credentials');
  }
  const refused = async (error: unknown): Promise<never> => {
    await throttle.forgiven();
    throw error;
  };
  const identity = { user, attempt: { succeeded: throttle.succeeded, refused } };
  const amr = [...new Set([...(method.amr ?? []), ...proven.amr, 'mfa'])];
  return [identity, { ...device, ...grant.data.device }, { ...method, amr }];
}

/** No code was compared, so it was no guess. */
const isUnreadable = (error: unknown) =>
  error instanceof Problem && error.code === 'factor_unreadable';

/** Verifies an answer and spends the token, or neither: a right answer is not lost if somebody else was faster. */
async function proveOnce(
  ctx: Context,
  { grant, request }: WaitingSignIn,
  given: GivenFactor | undefined,
): Promise<ProvenFactor | null> {
  if (!(await countGuess(ctx, grant.digest))) throw new Problem('invalid_code');
  if (!given) return null;
  return ctx.db.transaction(async () => {
    const proven = await given.kind.verify(ctx, request, given.answer);
    if (proven && !(await spendGrant(ctx, grant))) throw new Problem('invalid_code');
    return proven;
  });
}
