import { discover, type Provider } from '#strategies/_openid-provider';
import { explain } from '#strategies/_unreachable';

/** What is wrong with an OpenID provider, or with the settings that name it. */
export async function checkOpenId(provider: Provider): Promise<string[]> {
  const { issuer, clientAuth } = provider;
  try {
    const { config, readKeys } = await discover(provider);
    const metadata = config.serverMetadata();
    const methods = metadata.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const missing = ['authorization_endpoint', 'token_endpoint'].filter((name) => !metadata[name]);
    return [
      ...missing.map(
        (name) =>
          `The discovery document of ${issuer} names no ${name}. Is it an OpenID provider that people sign in at?`,
      ),
      ...(clientAuth && !methods.includes(clientAuth)
        ? [
            `${issuer} does not take ${clientAuth}, but ${methods.join(', ')}. Remove OIDC_CLIENT_AUTH, or name one of these.`,
          ]
        : []),
      ...(await keyFaults(issuer, readKeys)),
    ];
  } catch (error) {
    return [explain(error, `The discovery document of ${issuer}`)];
  }
}

async function keyFaults(issuer: string, readKeys: () => Promise<number>): Promise<string[]> {
  try {
    if ((await readKeys()) > 0) return [];
    return [`${issuer} publishes no keys, so no ID token can be verified. Ask its operator.`];
  } catch (error) {
    return [explain(error, `The key set of ${issuer}`)];
  }
}
