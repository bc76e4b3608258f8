import { compactVerify, createRemoteJWKSet, customFetch } from 'jose';
import {
  allowInsecureRequests,
  ClientSecretPost,
  Configuration,
  discovery,
  type ClientAuth,
} from 'openid-client';
import { isLoopback } from '#src/platform/settings/types';
import { fetchBounded } from '#strategies/_bounded-fetch';

/** How this server proves to a provider which client it is (OpenID Connect Core §9). */
export const METHODS = ['client_secret_post', 'client_secret_basic'] as const;
type Method = (typeof METHODS)[number];
/** An OpenID provider, and the client that it knows this server as. */
export interface Provider {
  issuer: string;
  clientId: string;
  /** A function makes a new one for each request. */
  clientSecret: string | (() => string);
  clientAuth?: Method | undefined;
  /** For a provider whose addresses are fixed. Default: its discovery document is read. */
  endpoints?: Endpoints;
}
interface Endpoints {
  authorization_endpoint: string;
  token_endpoint: string;
  revocation_endpoint: string;
  jwks_uri: string;
  token_endpoint_auth_methods_supported: string[];
}
export interface Discovered {
  config: Configuration;
  /** @throws if the provider has signed this ID token with none of its keys */
  verifySignature: (idToken: string) => Promise<void>;
  /** Reads the keys of the provider, and answers how many there are. */
  readKeys: () => Promise<number>;
}

/** Timeout for each answer of the provider, in seconds. */
const TIMEOUT_SECONDS = 5;

/**
 * Reads the discovery document of a provider. http:// works only on this machine.
 * @throws {Error} that says what the provider and these settings do not agree on
 */
export async function discover(provider: Provider): Promise<Discovered> {
  const { issuer, clientId, endpoints } = provider;
  const url = new URL(issuer);
  const execute = isLocal(url) ? [allowInsecureRequests] : [];
  const authenticate: ClientAuth = (server, client, body, headers) =>
    authenticationFor(provider, methodsOf(server))(server, client, body, headers);
  const config = endpoints
    ? new Configuration({ issuer, ...endpoints }, clientId, undefined, authenticate)
    : await discovery(url, clientId, undefined, authenticate, {
        execute,
        timeout: TIMEOUT_SECONDS,
      });
  for (const extend of endpoints ? execute : []) extend(config);
  config.timeout = TIMEOUT_SECONDS;
  const metadata = config.serverMetadata();
  authenticationFor(provider, methodsOf(metadata)); // throws now, before anybody is sent there
  return { config, ...keysAt(metadata.jwks_uri) };
}

/** Without a list, a provider knows this one method (OpenID Connect Discovery §3). */
const methodsOf = ({
  token_endpoint_auth_methods_supported: methods = ['client_secret_basic'],
}: {
  token_endpoint_auth_methods_supported?: string[] | undefined;
}): readonly string[] => methods;

function authenticationFor(
  { clientAuth, clientSecret }: Provider,
  supported: readonly string[],
): ClientAuth {
  const method = clientAuth ?? METHODS.find((each) => supported.includes(each));
  if (!method)
    throw new Error(
      `The provider takes none of ${METHODS.join(' and ')}, but only ${supported.join(', ')}`,
    );
  const secret = typeof clientSecret === 'string' ? clientSecret : clientSecret();
  return method === 'client_secret_post' ? ClientSecretPost(secret) : clientSecretBasic(secret);
}

const formEncoded = (text: string) => new URLSearchParams({ '': text }).toString().slice(1);

/**
 * RFC 6749 §2.3.1. The function of the library encodes `-`, `_` and `.`, too. Providers that forget
 * to decode would then refuse every secret that contains one.
 */
const clientSecretBasic =
  (secret: string): ClientAuth =>
  (_server, { client_id }, _body, headers) =>
    headers.set(
      'Authorization',
      `Basic ${btoa(`${formEncoded(client_id)}:${formEncoded(secret)}`)}`,
    );

/**
 * Checks signatures with the keys of the provider. An unknown key id means that the keys have
 * changed: they are read once more.
 */
function keysAt(jwksUri: string | undefined): Omit<Discovered, 'config'> {
  if (!jwksUri) throw new Error('The discovery document names no jwks_uri');
  const url = new URL(jwksUri);
  if (url.protocol !== 'https:' && !isLocal(url))
    throw new Error('The jwks_uri of the provider does not begin with https://');
  const keys = createRemoteJWKSet(url, {
    timeoutDuration: TIMEOUT_SECONDS * 1000,
    cooldownDuration: 0,
    [customFetch]: fetchKeys,
  });
  return {
    verifySignature: async (idToken) => void (await compactVerify(idToken, keys)),
    readKeys: async () => {
      await keys.reload();
      return keys.jwks()?.keys.length ?? 0;
    },
  };
}

const isLocal = ({ protocol, hostname }: URL) => protocol === 'http:' && isLoopback(hostname);

/** The library does not tell a key server that is unavailable from one that has no keys. */
async function fetchKeys(...request: Parameters<typeof fetch>): Promise<Response> {
  const response = await fetchBounded(...request);
  if (response.status === 200) return response;
  throw new Error(`The keys of the provider cannot be read (${response.status})`, {
    cause: response,
  });
}
