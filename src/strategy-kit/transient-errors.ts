import { isDatabaseUnavailable } from '#src/platform/database/errors';
import { Problem } from '#src/platform/http/problem';

const CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_SOCKET',
  'OAUTH_TIMEOUT',
]);
const NAMES = new Set(['TimeoutError', 'AbortError']);

interface ErrorMembers {
  code?: unknown;
  name?: unknown;
  cause?: unknown;
  /** passport-oauth2: what the provider answered, or why it did not. */
  oauthError?: { statusCode?: number };
  /** openid-client: the status of the provider's answer. */
  status?: unknown;
}

/**
 * True when an error means that a service which a strategy depends on is unavailable: it does not
 * answer, or it answers 5xx. Trying again later may help.
 */
export function isTransientUpstreamError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if (isDatabaseUnavailable(error)) return true;
  const { code, name, cause, oauthError, status } = error as ErrorMembers;
  if ((error instanceof Response || name === 'ResponseBodyError') && Number(status) >= 500)
    return true;
  if (CODES.has(String(code)) || NAMES.has(String(name)) || (oauthError?.statusCode ?? 0) >= 500)
    return true;
  return isTransientUpstreamError(oauthError) || isTransientUpstreamError(cause);
}

/**
 * True when a strategy gave fail() a reason that belongs to error(). passport-jwt calls a token
 * wrong when it cannot get the keys, and the client would discard a good token.
 */
export const isServerFailure = (reason: unknown): boolean =>
  reason instanceof Problem ? reason.status !== 401 : isTransientUpstreamError(reason);
