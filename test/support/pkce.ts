import { createHash, randomBytes } from 'node:crypto';

/** What an app makes before it sends the browser to the server (RFC 7636), and the address it sends it to. */
export function authorizationRequest(
  url: string,
  strategy: string,
  redirectUri: string,
  more: Record<string, string> = {},
) {
  const codeVerifier = randomBytes(32).toString('base64url');
  const codeChallenge = createHash('sha256').update(codeVerifier).digest('base64url');
  const state = randomBytes(8).toString('hex');
  const query = new URLSearchParams({ redirectUri, codeChallenge, state, ...more });
  return {
    codeVerifier,
    codeChallenge,
    state,
    address: `${url}/auth/${strategy}?${query.toString()}`,
  };
}
