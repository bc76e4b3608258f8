import { isDatabaseAway } from '#models/database';

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

interface Told {
  code?: unknown;
  name?: unknown;
  cause?: unknown;
  /** passport-oauth2: what the provider answered, or why it did not. */
  oauthError?: { statusCode?: number };
  /** openid-client: the same. */
  status?: unknown;
}

/** True when an error means that what a strategy depends on does not answer, or answers that it is broken: try again later. */
export function isAway(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  if (isDatabaseAway(error)) return true;
  const { code, name, cause, oauthError, status } = error as Told;
  if ((error instanceof Response || name === 'ResponseBodyError') && Number(status) >= 500) return true;
  if (CODES.has(String(code)) || NAMES.has(String(name)) || (oauthError?.statusCode ?? 0) >= 500) return true;
  return isAway(oauthError) || isAway(cause);
}
