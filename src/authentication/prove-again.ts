import { randomBytes } from 'node:crypto';
import type { Request } from 'express';
import { factorOptions, type GivenFactor } from '#src/authentication/factor-answers';
import { throttleFactor } from '#src/authentication/login-throttle';
import { announceRefused } from '#src/authentication/refused-sign-in';
import type { Context } from '#src/context';
import type { FactorKind, FactorRequest } from '#src/factors/factor-kind';
import { lifetimes } from '#src/lifetimes';
import { strategyStore } from '#src/one-time-tokens/strategy-store';
import { Problem } from '#src/platform/http/problem';
import { proveAgain, requireOwnPassword, requireSession } from '#src/sessions/reauthenticate';
import type { Principal } from '#src/users/principal';

/** A password, an answer of one kind of factor, or both. */
export interface ProofGiven {
  password?: string | undefined;
  factor?: GivenFactor | undefined;
}

/**
 * Makes the session of this request fresh. A second factor makes it `aal2`; a password alone does not, and does not renew
 * what a factor proved before. Wrong answers of a factor count against the account, over all sessions and networks, as
 * those of a sign-in do.
 * @throws {Problem} 401 `invalid_credentials`, for every factor while the account is locked; 401 `session_ended`; 403
 * `forbidden` for a credential without a session; 409 `factor_unreadable`; 429 `rate_limited`; 503 `busy`
 */
export async function reauthenticate(
  ctx: Context,
  req: Request,
  principal: Principal,
  { password, factor }: ProofGiven,
): Promise<void> {
  requireSession(principal);
  if (password !== undefined) await requireOwnPassword(ctx, principal, password);
  const amr = password === undefined ? [] : ['pwd'];
  if (!factor) return proveAgain(ctx, principal, amr);
  const throttle = await throttleFactor(ctx, req, principal.id);
  try {
    if (throttle.locked) throw new Problem('invalid_credentials');
    const request = await requestOf(ctx, principal, factor.kind);
    const proven = await ctx.db.transaction(async () => {
      const found = await factor.kind.verify(ctx, request, factor.answer);
      if (found) await proveAgain(ctx, principal, [...amr, ...found.amr, 'mfa']);
      return found; // what a wrong answer has written stays, such as an alarm
    });
    if (!proven) throw new Problem('invalid_credentials');
  } catch (error) {
    const isWrong = error instanceof Problem && error.code === 'invalid_credentials';
    if (!isWrong) await throttle.forgiven();
    else await announceRefused(ctx, req, principal.session!.strategy, throttle);
    throw error;
  }
  await throttle.succeeded();
}

/** A name that no strategy can have. */
const challengesOf = (ctx: Context) => strategyStore(ctx, 'reauthentication of a session');

/** What WebAuthn signs was made with the options, for this session, and is good once. Codes need nothing of the kind. */
async function requestOf(
  ctx: Context,
  principal: Principal,
  { options }: FactorKind,
): Promise<FactorRequest> {
  const { id: userId } = principal;
  const known = options && (await challengesOf(ctx).take<string>(requireSession(principal).id));
  if (options && known === undefined) throw new Problem('invalid_credentials');
  return { userId, challenge: known ?? newChallenge() };
}

const newChallenge = () => randomBytes(32).toString('base64url');

/**
 * What a factor needs before it can answer, by its member. New ones make the last ones of this session void.
 * @throws {Problem} 403 `forbidden` for a credential without a session; 404 `not_found` for a user who has no such factor
 */
export async function reauthenticationOptions(
  ctx: Context,
  principal: Principal,
): Promise<Record<string, object>> {
  const session = requireSession(principal);
  const request = { userId: principal.id, challenge: newChallenge() };
  const found = await factorOptions(ctx, request);
  const seconds = lifetimes.secondFactorSeconds;
  await challengesOf(ctx).put(session.id, request.challenge, seconds);
  return found;
}
