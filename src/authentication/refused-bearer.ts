import type { Request } from 'express';
import { claimedBy, providerReason } from '#src/authentication/provider-reason';
import { failureReason, NO_REASON } from '#src/authentication/strategy-failure';
import type { Context } from '#src/context';

/** passport-jwt gives the second one for a credential of another scheme. */
const SILENT = new Set([NO_REASON, 'No auth token']);

/**
 * Says at level `debug` why a strategy refused a request: with issuer and audience of the token, if
 * it has any, and without the token.
 */
export function logRefusedBearer(
  { log }: Context,
  strategy: string,
  { headers }: Request,
  why: unknown,
): void {
  if (why === undefined || typeof why === 'number') return;
  const err = failureReason(why);
  if (err instanceof Error && SILENT.has(err.message)) return;
  const [, token] = headers.authorization?.split(' ') ?? [];
  log.debug({ err, strategy, ...claimedBy(token), ...providerReason(err) }, 'a strategy refused');
}
