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
  'ERR_BAD_RESPONSE', // axios: an answer of 5xx
  'ERR_JWKS_TIMEOUT', // jose
]);
/** The last two are of jwks-rsa: it does not say what the key server answered. */
const NAMES = new Set(['TimeoutError', 'AbortError', 'JwksError', 'JwksRateLimitError']);
/** jose gives this error neither a code of its own nor the status. */
const NO_KEYS = 'Expected 200 OK from the JSON Web Key Set HTTP response';
const isTransientStatus = (status: unknown) => Number(status) >= 500 || Number(status) === 429;

interface ErrorMembers {
  code?: unknown;
  name?: unknown;
  cause?: unknown;
  /** passport-oauth2: what the provider answered, or why it did not. */
  oauthError?: { statusCode?: number };
  /** openid-client: the status of the provider's answer. */
  status?: unknown;
  message?: unknown;
  /** axios and got: the answer. */
  response?: { status?: unknown; statusCode?: unknown };
}

/**
 * True when an error means that a service which a strategy depends on is unavailable: it does not
 * answer, or it answers 5xx or 429. Trying again later may help.
 */
export function isTransientUpstreamError(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if (isDatabaseUnavailable(error)) return true;
  const { code, name, message, cause, oauthError, status, response } = error as ErrorMembers;
  const isAnswer = error instanceof Response || name === 'ResponseBodyError';
  const statuses = [
    isAnswer && status,
    oauthError?.statusCode,
    response?.status,
    response?.statusCode,
  ];
  if (statuses.some(isTransientStatus)) return true;
  if (CODES.has(String(code)) || NAMES.has(String(name)) || message === NO_KEYS) return true;
  return isTransientUpstreamError(oauthError) || isTransientUpstreamError(cause);
}

/**
 * True when a strategy gave fail() a reason that belongs to error(). passport-jwt calls a token
 * wrong when it cannot get the keys, and the client would discard a good token.
 */
export const isServerFailure = (reason: unknown): boolean =>
  reason instanceof Problem ? reason.status !== 401 : isTransientUpstreamError(reason);
