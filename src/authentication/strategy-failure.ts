import { Problem } from '#src/platform/http/problem';
import { isTransientUpstreamError } from '#src/strategy-kit/transient-errors';

/** Log lines repeat what a strategy threw, and that may hold the token that it could not use. */
export const withoutTokens = (text = ''): string => text.replaceAll(/[\w.~+=-]{40,}/g, '…');

export const NO_REASON = 'The strategy gave no reason';

/** Why a strategy failed, for the log. Strategies say it in an object, a string or a number. */
export function failureReason(info: unknown): unknown {
  if (info instanceof Error) return info;
  const why = (info as { message?: unknown } | undefined)?.message ?? info;
  return new Error(typeof why === 'string' ? withoutTokens(why) : NO_REASON);
}

/**
 * The challenge of Digest (RFC 7616), which cannot begin without a nonce. The challenge of Basic is not passed on: it
 * would open the password window of a browser at every 401.
 */
export function digestChallenge(failures: readonly unknown[]): Record<string, string> {
  const challenge = failures.find(
    (failure) => typeof failure === 'string' && /^Digest [\x20-\x7e]+$/.test(failure),
  );
  return typeof challenge === 'string' ? { 'WWW-Authenticate': challenge } : {};
}

/** Anything that a strategy threw, as an error that may be logged. A transient upstream error is 503 `unavailable`. */
export function asError(error: unknown): Error {
  if (!(error instanceof Error)) return new Error('A strategy failed without saying why');
  const clean = Object.assign(error, {
    message: withoutTokens(error.message),
    stack: withoutTokens(error.stack),
  });
  if (clean instanceof Problem) return clean;
  if (isTransientUpstreamError(clean)) return new Problem('unavailable', { cause: clean });
  // The status of an upstream answer is none of ours.
  return 'status' in clean ? new Error(clean.message, { cause: clean }) : clean;
}
