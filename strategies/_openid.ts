import type { Request } from 'express';
import {
  allowInsecureRequests,
  ClientSecretPost,
  discovery,
  fetchUserInfo,
  randomNonce,
  randomState,
  type Configuration,
} from 'openid-client';
import { Strategy, type AuthenticateOptions, type VerifyFunction } from 'openid-client/passport';
import { isLoopback } from '#src/platform/settings/types';
import { verify, type StrategyContext } from '#src/strategy-kit/strategy';

type Tokens = Parameters<VerifyFunction>[0];
interface Provider {
  issuer: string;
  clientId: string;
  clientSecret: string;
  scope?: string;
  /** False for a user who may not sign in, such as one of another Workspace domain. */
  accepts?: (claims: Record<string, unknown>) => boolean;
}

/**
 * The library leaves out state and nonce where PKCE is enough. We send all three, in case a
 * provider ignores one.
 */
class StrategyWithNonce extends Strategy {
  override authorizationRequestParams(req: Request, options: AuthenticateOptions) {
    const params = new URLSearchParams(super.authorizationRequestParams(req, options));
    params.set('nonce', randomNonce());
    params.set('state', randomState());
    return params;
  }
}

/**
 * Signs in at an OpenID provider that is found by its issuer (OpenID Connect Discovery). If the ID
 * token has no e-mail address, the userinfo endpoint is asked. http:// works only on this machine.
 */
export async function openId(
  {
    issuer,
    clientId,
    clientSecret,
    scope = 'openid email profile',
    accepts = () => true,
  }: Provider,
  { callbackUrl, resolveUser }: StrategyContext,
): Promise<Strategy> {
  const url = new URL(issuer);
  const execute =
    url.protocol === 'http:' && isLoopback(url.hostname) ? [allowInsecureRequests] : [];
  const options = { execute, timeout: 5 };
  const config = await discovery(url, clientId, undefined, ClientSecretPost(clientSecret), options);
  const find = async (tokens: Tokens) => {
    const claims = await claimsOf(config, tokens);
    if (!accepts(claims)) return null;
    const { sub, email, email_verified, preferred_username, name } = claims;
    return resolveUser({
      // A subject is unique only at its issuer (OpenID Connect Core §5.7). If the issuer of this
      // strategy changes, users must not turn into each other.
      subject: `${config.serverMetadata().issuer} ${sub}`,
      email,
      emailVerified: email_verified,
      username: preferred_username,
      name,
    });
  };
  return new StrategyWithNonce({ config, scope, callbackURL: callbackUrl }, verify(find));
}

interface IdClaims extends Record<string, unknown> {
  sub: string;
  email?: string;
  email_verified?: boolean;
  preferred_username?: string;
  name?: string;
}

async function claimsOf(config: Configuration, tokens: Tokens): Promise<IdClaims> {
  const claims = tokens.claims();
  if (!claims)
    throw new Error('The provider sent no ID token. Is the scope openid among those it grants?');
  if (!claims.sub) throw new Error('The provider did not say who it is');
  if (claims['email'] || !config.serverMetadata().userinfo_endpoint) return claims;
  return { ...claims, ...(await fetchUserInfo(config, tokens.access_token, claims.sub)) };
}
