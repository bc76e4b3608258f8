import { createPrivateKey, sign, type KeyObject } from 'node:crypto';
import { z } from 'zod';
import { secureUrl } from '#src/platform/settings/types';

/** Settings that hold in the browser and in apps. */
export const sharedWithApple = {
  APPLE_ISSUER: secureUrl
    .default('https://appleid.apple.com')
    .describe('For tests: another issuer in the place of Apple.'),
};

/**
 * The addresses of Apple are fixed. Its discovery document is not read: for some days of June 2025 it
 * named another issuer than the tokens did.
 */
export const endpointsAt = (issuer: string) => ({
  authorization_endpoint: `${issuer}/auth/authorize`,
  token_endpoint: `${issuer}/auth/token`,
  revocation_endpoint: `${issuer}/auth/revoke`,
  jwks_uri: `${issuer}/auth/keys`,
  token_endpoint_auth_methods_supported: ['client_secret_post'],
});

/** A setting: the private key in a .p8 file of Apple. */
export const privateKey = z.string().transform((text, context) => {
  try {
    const key = createPrivateKey(text.replaceAll('\\n', '\n'));
    if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  } catch {
    // said below
  }
  context.addIssue({
    code: 'custom',
    message:
      'must be the text of the .p8 file from Apple, on one line with \\n in it, or as a file',
  });
  return z.NEVER;
});

interface Client {
  APPLE_CLIENT_ID: string;
  APPLE_TEAM_ID: string;
  APPLE_KEY_ID: string;
  APPLE_PRIVATE_KEY: KeyObject;
  APPLE_ISSUER: string;
}

/** Lifetime of a client secret, in seconds. A new one is made for each request. */
const SECRET_SECONDS = 300;

/** The client that Apple knows this server as. Its secret is a token signed with its key (ES256). */
export const clientOf = (settings: Client) => ({
  issuer: settings.APPLE_ISSUER,
  clientId: settings.APPLE_CLIENT_ID,
  clientSecret: () => clientSecret(settings),
  endpoints: endpointsAt(settings.APPLE_ISSUER),
});

function clientSecret(settings: Client): string {
  const now = Math.floor(Date.now() / 1000);
  const header = { alg: 'ES256', kid: settings.APPLE_KEY_ID };
  const claims = {
    iss: settings.APPLE_TEAM_ID,
    sub: settings.APPLE_CLIENT_ID,
    aud: settings.APPLE_ISSUER,
    iat: now,
    exp: now + SECRET_SECONDS,
  };
  const text = [header, claims].map((part) => base64url(JSON.stringify(part))).join('.');
  const key = { key: settings.APPLE_PRIVATE_KEY, dsaEncoding: 'ieee-p1363' } as const;
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`;
}
const base64url = (text: string) => Buffer.from(text).toString('base64url');

/**
 * The name in the `user` field of Apple's form, which comes with the first sign-in only. The browser
 * sends this field and nobody signed it, so nothing else is taken from it: the address in it may be
 * anybody's.
 */
export function nameIn({ user }: Record<string, unknown>): string | undefined {
  try {
    const { name } = JSON.parse(String(user)) as { name?: Record<string, unknown> };
    const parts = [name?.['firstName'], name?.['lastName']];
    const words = parts.filter((part) => typeof part === 'string').map((part) => part.trim());
    return words.filter(Boolean).join(' ') || undefined;
  } catch {
    return undefined;
  }
}
