import type { Request } from 'express';
import type { ZodOpenApiSecuritySchemeObject } from 'zod-openapi';
import { Problem } from '#src/core/problem';

/** Longest token that is looked at, in characters. */
const LONGEST = 4096;
/** RFC 6750 §2.1 `b64token` after the scheme and exactly one space; the scheme in any case (RFC 9110 §11.1). Linear. */
const BEARER = /^Bearer ([\w\-.~+/]+=*)$/i;

type Headers = Pick<Request, 'headers' | 'rawHeaders'>;

/** The Authorization header. Throws 400 if it was sent twice: a proxy may have checked the one that Node drops. */
export function authorizationOf({ headers: { authorization }, rawHeaders }: Headers): string | undefined {
  let count = 0;
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]!.length === 13 && rawHeaders[i]!.toLowerCase() === 'authorization') count++;
  if (count > 1) throw twoCredentials('Send one Authorization header');
  return authorization;
}

/** Whoever sends two might be let in as either: which one, a proxy in front may judge otherwise. */
const twoCredentials = (message: string) =>
  new Problem('invalid_request', { members: { errors: [{ pointer: '', code: 'two_credentials', message }] } });

/** Where a client sends what this scheme asks for. What a proxy adds (`X-Forwarded-…`) is no client's. */
export function headersOf({ type, in: place, name = '' }: ZodOpenApiSecuritySchemeObject): string[] {
  if (type !== 'apiKey') return ['authorization'];
  return place === 'header' && !/^x-forwarded-/i.test(name) ? [name.toLowerCase()] : [];
}

/** Throws 400 if a request has more than one of these headers. */
export function refuseTwo({ headers }: Headers, names: Iterable<string>): void {
  const sent = [...names].filter((name) => headers[name] !== undefined);
  if (sent.length > 1) throw twoCredentials('Send one credential, not several');
}

/**
 * The token in the Authorization header, or null if there is none (another scheme is none).
 * Throws 401 `token_invalid` for a Bearer header of the wrong form, and 400 for two headers.
 */
export function bearerToken(req: Headers): string | null {
  const authorization = authorizationOf(req);
  if (authorization === undefined || !/^bearer\b/i.test(authorization)) return null;
  const token = authorization.length <= LONGEST ? BEARER.exec(authorization)?.[1] : undefined;
  if (!token) throw new Problem('token_invalid');
  return token;
}

/** The same for signing out: whatever is no token is none. */
export function presentedToken(req: Headers): string | undefined {
  try {
    return bearerToken(req) ?? undefined;
  } catch {
    return undefined;
  }
}
