import { withoutTokens } from '#src/authentication/strategy-failure';

/** Why a provider or a library refused, in its own words, for the log. */
export interface ProviderReason {
  /** RFC 6749 §4.1.2.1 and §5.2. */
  error?: string;
  errorDescription?: string;
  /** HTTP status of the provider's answer. */
  status?: number;
  /** The issuer or audience that our settings name, and the one that was received. */
  expected?: string;
  received?: string;
}

const MAX_DEPTH = 8;
const MAX_TEXT = 300;

type Members = Record<string, unknown>;
const isObject = (value: unknown): value is Members => typeof value === 'object' && value !== null;

/**
 * Reads what is known of a refusal from an error, its causes, and the answer of the provider in
 * them. The members of openid-client, passport-oauth2 and node-oauth are known. Only these are read:
 * an answer may contain tokens.
 */
export function providerReason(error: unknown): ProviderReason {
  const found: ProviderReason = {};
  let each = error;
  for (let depth = 0; isObject(each) && depth < MAX_DEPTH; depth++) {
    for (const [name, value] of Object.entries(reasonIn(each)))
      if (value !== undefined) Object.assign(found, { [name]: found[name as 'error'] ?? value });
    each = each['oauthError'] ?? each['cause'];
  }
  return found;
}

function reasonIn(error: Members): ProviderReason {
  const answer = bodyOf(error['data']);
  // passport-oauth2 puts `error` into `code`, and the description into the message.
  const isOAuth2 = ['TokenError', 'AuthorizationError'].includes(String(error['name']));
  const said = isOAuth2
    ? { error: error['code'], error_description: error['message'] }
    : 'error' in error
      ? error
      : answer;
  return {
    error: textOf(said['error']),
    errorDescription: textOf(said['error_description']),
    status: statusOf(error),
    ...comparisonIn(error),
  } as ProviderReason;
}

/** The body of an answer: JSON, or a form. */
function bodyOf(data: unknown): Members {
  if (typeof data !== 'string' || data.length > 16_384) return {};
  try {
    const body: unknown = JSON.parse(data);
    return isObject(body) ? body : {};
  } catch {
    return Object.fromEntries(new URLSearchParams(data));
  }
}

function statusOf({ status, statusCode }: Members): number | undefined {
  const number = Number(status ?? statusCode);
  return number >= 300 && number < 600 ? number : undefined;
}

const COMPARED = new Set(['iss', 'aud', 'azp', 'issuer']);

/** oauth4webapi: what was compared. Only issuers and audiences are repeated. */
function comparisonIn({ expected, claims, body, claim, attribute }: Members): ProviderReason {
  const name = claim ?? attribute;
  const source = claims ?? body;
  if (typeof name !== 'string' || !COMPARED.has(name) || !isObject(source)) return {};
  return { expected: nameOf(expected), received: nameOf(source[name]) } as ProviderReason;
}

const textOf = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? withoutTokens(value).slice(0, MAX_TEXT) : undefined;

/** An issuer or audience. It may be long, as client ids are, but it is no token. */
function nameOf(value: unknown): string | undefined {
  const text = value === undefined ? undefined : JSON.stringify(value).replaceAll('"', '');
  return text === undefined || /\beyJ/.test(text) ? undefined : text.slice(0, MAX_TEXT);
}

/** Issuer and audience that a token claims, to say them beside those that were expected. */
export function claimedBy(token: string | undefined): Pick<ProviderReason, 'received'> {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token!.split('.')[1]!, 'base64url').toString());
    if (!isObject(payload)) return {};
    const [iss, aud] = [nameOf(payload['iss']), nameOf(payload['aud'])];
    return { received: `iss ${iss ?? 'none'}, aud ${aud ?? 'none'}` };
  } catch {
    return {};
  }
}
