import type { Request } from 'express';
import { authorizationOf } from '#src/platform/http/credential-headers';

export interface ClientCredentials {
  id: string;
  secret: string;
}

/** Longest header that is parsed, in characters. */
const MAX_LENGTH = 1024;
const BASIC = /^Basic ([A-Za-z0-9+/]+={0,2})$/i;

/**
 * Id and secret of a client, which are form-urlencoded before they become a Basic header (RFC 6749 §2.3.1).
 * Undefined without the header, and if it holds anything else.
 * @throws {Problem} 400 `invalid_request` for two Authorization headers
 */
export function clientCredentials(req: Request): ClientCredentials | undefined {
  const authorization = authorizationOf(req);
  if (authorization === undefined) return undefined;
  const encoded = authorization.length <= MAX_LENGTH ? BASIC.exec(authorization)?.[1] : undefined;
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString();
  const colon = text.indexOf(':');
  if (colon < 0) return undefined;
  const [id, secret] = [formDecoded(text.slice(0, colon)), formDecoded(text.slice(colon + 1))];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

function formDecoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return undefined;
  }
}
