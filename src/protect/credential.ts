import { Refusal } from '#src/protect/refusal';

/** The headers of a request: those of `fetch`, or of Node. */
type HeadersOf =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | string[] | undefined>>;

/** A request of Node, Express, Fastify, or `fetch`. */
export interface AskedRequest {
  readonly headers: HeadersOf;
  readonly rawHeaders?: readonly string[];
  /** Fastify: the request of Node. */
  readonly raw?: { readonly rawHeaders?: readonly string[] };
}

/** Longest Authorization header that is parsed, in characters. */
const MAX_LENGTH = 4096;
/** RFC 6750 §2.1: `b64token` after the scheme and exactly one space. Runs in linear time. */
const BEARER = /^Bearer ([\w\-.~+/]+=*)$/i;

/**
 * The access token of the Authorization header.
 * @throws {Refusal} 401 `token_missing`, `token_invalid`; 400 `invalid_request` for two such headers
 */
export function tokenIn(request: AskedRequest): string {
  const authorization = authorizationIn(request);
  if (authorization === undefined || !/^bearer\b/i.test(authorization))
    throw new Refusal('token_missing');
  const token = authorization.length <= MAX_LENGTH ? BEARER.exec(authorization)?.[1] : undefined;
  if (!token) throw new Refusal('token_invalid');
  return token;
}

function authorizationIn({ headers, raw, rawHeaders = raw?.rawHeaders }: AskedRequest) {
  // Node keeps one of two, and a proxy may have checked the other.
  const names = rawHeaders?.filter((_, i) => i % 2 === 0) ?? [];
  if (names.filter((name) => name.toLowerCase() === 'authorization').length > 1) throw twice();
  const found = isFetch(headers) ? headers.get('authorization') : headers['authorization'];
  if (Array.isArray(found)) throw twice();
  return found ?? undefined;
}

const isFetch = (headers: HeadersOf): headers is { get(name: string): string | null } =>
  typeof headers['get'] === 'function';

const twice = () =>
  new Refusal('invalid_request', {
    errors: [{ pointer: '', code: 'two_credentials', message: 'Send one Authorization header' }],
  });
