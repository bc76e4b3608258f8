import { Refusal } from '#src/protect/refusal';

/** The headers of a request: those of `fetch`, or of Node. */
type HeadersOf =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | string[] | undefined>>;

/** A request of Node, Express, Fastify, or `fetch`. */
export interface AskedRequest {
  readonly headers: HeadersOf;
  /** Method and address are what a proof of possession is for. Only the path of the address counts. */
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  /** Express and Fastify: as it arrived. */
  readonly originalUrl?: string | undefined;
  readonly rawHeaders?: readonly string[];
  /** Fastify: the request of Node. */
  readonly raw?: { readonly rawHeaders?: readonly string[] };
}

/** Longest Authorization header that is parsed, in characters. */
const MAX_LENGTH = 4096;
/** RFC 6750 §2.1, RFC 9449 §7.1: `b64token` after the scheme and exactly one space. Runs in linear time. */
const TOKEN = /^(Bearer|DPoP) ([\w\-.~+/]+=*)$/i;

/** The access token of a request, and what a proof of possession must be for. */
export interface Credential {
  readonly token: string;
  /** True for the scheme of tokens that are bound to a key. */
  readonly isDpop: boolean;
  readonly proof: string | undefined;
  readonly method: string | undefined;
  readonly path: string | undefined;
}

/**
 * The access token of the Authorization header.
 * @throws {Refusal} 401 `token_missing`, `token_invalid`; 400 `invalid_request` for two such headers
 */
export function credentialIn(request: AskedRequest): Credential {
  const authorization = authorizationIn(request);
  if (authorization === undefined || !/^(bearer|dpop)\b/i.test(authorization))
    throw new Refusal('token_missing');
  const found = authorization.length <= MAX_LENGTH ? TOKEN.exec(authorization) : null;
  if (!found) throw new Refusal('token_invalid');
  return {
    token: found[2]!,
    isDpop: isDpopScheme(authorization),
    proof: headerIn(request.headers, 'dpop'),
    method: request.method,
    path: pathIn(request),
  };
}

/** True for a request whose token is of the scheme DPoP. */
export const sendsDpop = ({ headers }: AskedRequest): boolean =>
  isDpopScheme(headerIn(headers, 'authorization') ?? '');

const isDpopScheme = (authorization: string) => /^dpop\b/i.test(authorization);

/** A target in absolute form (RFC 9112 §3.2.2) has a host that the client has chosen. */
function pathIn({ url, originalUrl: target = url }: AskedRequest): string | undefined {
  const address = target?.startsWith('/') ? `http://unknown${target}` : target;
  return address && URL.canParse(address) ? new URL(address).pathname : undefined;
}

/** Two are one text with a comma, which is no proof. */
function headerIn(headers: HeadersOf, name: string): string | undefined {
  const found = isFetch(headers) ? headers.get(name) : headers[name];
  return (Array.isArray(found) ? found.join(', ') : found) ?? undefined;
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
