import type { Request } from 'express';
import type { ZodOpenApiSecuritySchemeObject } from 'zod-openapi';
import { Problem } from '#src/platform/http/problem';

/** Longest Authorization header that is parsed, in characters. */
const MAX_LENGTH = 4096;
/**
 * RFC 6750 §2.1: `b64token` after the scheme and exactly one space. The scheme has any case
 * (RFC 9110 §11.1). Runs in linear time. Tokens that are bound to a key have a scheme of their own (RFC 9449 §7.1).
 */
const BEARER = /^(?:Bearer|DPoP) ([\w\-.~+/]+=*)$/i;

type Headers = Pick<Request, 'headers' | 'rawHeaders'>;

/** Reads a token from its place in a request. Undefined: there is none. */
export type ReadToken = (req: Pick<Request, 'headers'>) => string | undefined;

/**
 * The Authorization header.
 * @throws {Problem} 400 `invalid_request` if it was sent twice. Node keeps one of the two, and a
 * proxy may have checked the other.
 */
export function authorizationOf(req: Headers): string | undefined {
  const { headers, rawHeaders } = req;
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]!.length === 13 && rawHeaders[i]!.toLowerCase() === 'authorization') count++;
  if (count > 1) throw twoCredentials('Send one Authorization header');
  return headers.authorization;
}

/** With two credentials, a proxy and this server may disagree about who sent the request. */
const twoCredentials = (message: string) =>
  new Problem('invalid_request', {
    members: { errors: [{ pointer: '', code: 'two_credentials', message }] },
  });

/** The headers that carry the credential of this scheme, in lower case. */
export function headersOf(scheme: ZodOpenApiSecuritySchemeObject): string[] {
  const { type, in: place, name = '' } = scheme;
  if (type !== 'apiKey') return ['authorization'];
  return place === 'header' ? [name.toLowerCase()] : [];
}

/** Headers of credentials, each with a function that is true if the one that was sent is a credential. */
export type CredentialHeaders = Map<string, (req: Request) => boolean>;

/** @throws {Problem} 400 `invalid_request` if a request has more than one of these credentials. */
export function refuseTwo(req: Request, headers: CredentialHeaders): void {
  let count = 0;
  for (const [name, isCredential] of headers)
    if (req.headers[name] !== undefined && isCredential(req)) count++;
  if (count > 1) throw twoCredentials('Send one credential, not several');
}

/**
 * The token of the Authorization header. Null without one, or with another scheme.
 * @throws {Problem} 401 `token_invalid` for a malformed Bearer header, 400 `invalid_request` for
 * two Authorization headers
 */
export function bearerToken(req: Headers): string | null {
  const authorization = authorizationOf(req);
  // Limits and guards ask for the token of the same header.
  const read = (req as ReadRequest)[READ];
  if (read && read.authorization === authorization) return read.token;
  const token = tokenIn(authorization);
  (req as ReadRequest)[READ] = { authorization, token };
  return token;
}

const READ: unique symbol = Symbol('the token that was read');
interface ReadRequest {
  [READ]?: { authorization: string | undefined; token: string | null };
}

function tokenIn(authorization: string | undefined): string | null {
  if (authorization === undefined || !/^(bearer|dpop)\b/i.test(authorization)) return null;
  const token = authorization.length <= MAX_LENGTH ? BEARER.exec(authorization)?.[1] : undefined;
  if (!token) throw new Problem('token_invalid');
  return token;
}

/** True for the scheme of tokens that are bound to a key. */
export const isBoundScheme = ({ headers: { authorization } }: Pick<Request, 'headers'>): boolean =>
  authorization !== undefined && /^dpop\b/i.test(authorization);

/** The same for signing out: a malformed token counts as none. */
export function presentedToken(req: Headers): string | undefined {
  try {
    return bearerToken(req) ?? undefined;
  } catch {
    return undefined;
  }
}
