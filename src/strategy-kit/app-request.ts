import { z } from 'zod';

/** Where an app wants its user back, with a code (RFC 6749 §4.1.1, RFC 7636). */
export interface AppRequest {
  redirectUri: string;
  codeChallenge: string;
  state?: string | undefined;
  /** Of an OAuth client. Its code is good at the token endpoint only. */
  clientId?: string | undefined;
}

/** RFC 7636 §4.2: base64url of a SHA-256, without padding. */
export const CodeChallenge = z
  .string()
  .regex(/^[\w-]{43}$/, 'The base64url of the SHA-256 of your code verifier')
  .meta({
    description: 'PKCE (RFC 7636), method S256.',
    example: 'E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM',
  });

/** It must be one of REDIRECT_URIS, which a schema cannot know. */
export const RedirectUri = z.string().max(512).meta({
  description:
    'Where your app wants the browser back: one of REDIRECT_URIS, on loopback with any port.',
});

export const ClientId = z
  .string()
  .regex(/^[\x20-\x7e]{1,128}$/, 'Up to 128 characters of ASCII') // RFC 6749 appendix A.1
  .meta({ description: 'The name of an OAuth client, which it chooses itself.' });

export const AppState = z
  .string()
  .regex(/^[\x20-\x7e]{1,256}$/, 'Up to 256 characters of ASCII') // RFC 6749 appendix A.5
  .meta({ description: 'Comes back unchanged, so that your app knows its own request.' });
