import { config } from '#src/config';
import { isLoopback } from '#src/core/setting-types';

/** An app on a desktop listens on whichever port is free (RFC 8252 §7.3): on loopback the port says nothing. */
const withoutPort = (uri: string) => uri.replace(/^(http:\/\/[^/?:[]+|http:\/\/\[::1\]):[1-9]\d{0,4}(?=[/?]|$)/, '$1');

/** True for one of REDIRECT_URIS, letter for letter; on loopback with any port. */
export const isRedirectUri = (uri: string): boolean =>
  config.REDIRECT_URIS.includes(uri) ||
  (isOnLoopback(uri) && config.REDIRECT_URIS.some((allowed) => isOnLoopback(allowed) && withoutPort(allowed) === withoutPort(uri)));

const isOnLoopback = (uri: string) => uri.startsWith('http://') && URL.canParse(uri) && isLoopback(new URL(uri).hostname);

/** The address with these members added to its query. */
export function withQuery(uri: string, members: Record<string, string | undefined>): string {
  const url = new URL(uri);
  for (const [name, value] of Object.entries(members)) if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}
