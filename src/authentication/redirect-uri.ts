import { z } from 'zod';
import { UNKNOWN_APP } from '#src/platform/http/problem-text';
import type { Settings } from '#src/platform/settings/settings';
import { isLoopback } from '#src/platform/settings/types';
import { AppState, CodeChallenge, RedirectUri } from '#src/strategy-kit/app-request';

/** A desktop app listens on any free port (RFC 8252 §7.3), so on loopback the port does not count. */
const withoutPort = (uri: string) =>
  uri.replace(/^(http:\/\/[^/?:[]+|http:\/\/\[::1\]):[1-9]\d{0,4}(?=[/?]|$)/, '$1');

const isOnLoopback = (uri: string) =>
  uri.startsWith('http://') && URL.canParse(uri) && isLoopback(new URL(uri).hostname);

/** Pages of this server that sign in as apps do. */
const OWN_APPS = ['/account', '/console'];

/** True for one of REDIRECT_URIS, character for character, on loopback with any port; and for pages of this server. */
export const isRedirectUri = ({ publicUrl, redirectUris }: Settings, uri: string): boolean =>
  redirectUris.includes(uri) ||
  OWN_APPS.some((path) => uri === publicUrl + path) ||
  (isOnLoopback(uri) &&
    redirectUris.some(
      (allowed) => isOnLoopback(allowed) && withoutPort(allowed) === withoutPort(uri),
    ));

/** The address with these members added to its query. */
export function withQuery(uri: string, members: Record<string, string | undefined>): string {
  const url = new URL(uri);
  for (const [name, value] of Object.entries(members))
    if (value !== undefined) url.searchParams.set(name, value);
  return url.href;
}

/** For developers, who get JSON. A page says it in other words. */
export const NOT_LISTED = {
  message: 'This is not one of REDIRECT_URIS',
  params: { code: UNKNOWN_APP },
};

/** What an app begins a sign-in with, wherever it does. */
export const appParameters = (settings: Settings) => ({
  redirectUri: RedirectUri.refine((uri) => isRedirectUri(settings, uri), NOT_LISTED),
  codeChallenge: CodeChallenge,
  codeChallengeMethod: z.literal('S256').optional(),
  state: AppState.optional(),
});
