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
import type { Request } from 'express';
import { isLoopback } from '#src/core/setting-types';
import { verify, type StrategyContext } from '#src/http/strategy';

type Tokens = Parameters<VerifyFunction>[0];
interface Provider {
  issuer: string;
  clientId: string;
  clientSecret: string;
  scope?: string;
  /** Whether it is one of ours: a Workspace domain, say. */
  accepts?: (claims: Record<string, unknown>) => boolean;
}

/** The library leaves out state and nonce where PKCE would do. All three, then one that a provider forgets harms nobody. */
class WithNonce extends Strategy {
  override authorizationRequestParams(req: Request, options: AuthenticateOptions) {
    const params = new URLSearchParams(super.authorizationRequestParams(req, options));
    params.set('nonce', randomNonce());
    params.set('state', randomState());
    return params;
  }
}

/**
 * Signs in at an OpenID provider that is found by its issuer (OpenID Connect Discovery). What its ID token does not say of the
 * address is asked of its userinfo endpoint. http:// only on this machine.
 */
export async function openId(
  { issuer, clientId, clientSecret, scope = 'openid email profile', accepts = () => true }: Provider,
  { callbackUrl, userOf }: StrategyContext<unknown>,
): Promise<Strategy> {
  const at = new URL(issuer);
  const execute = at.protocol === 'http:' && isLoopback(at.hostname) ? [allowInsecureRequests] : [];
  const config = await discovery(at, clientId, undefined, ClientSecretPost(clientSecret), { execute, timeout: 5 });
  const find = async (tokens: Tokens) => {
    const claims = await claimsOf(config, tokens);
    if (!accepts(claims)) return null;
    const { sub, email, email_verified, preferred_username, name } = claims;
    // Subjects are unique at their issuer only (OpenID Connect Core §5.7): with another issuer under this name nobody becomes somebody else.
    return userOf({
      subject: `${config.serverMetadata().issuer} ${sub}`,
      email,
      emailVerified: email_verified,
      username: preferred_username,
      name,
    });
  };
  return new WithNonce({ config, scope, callbackURL: callbackUrl }, verify(find));
}

interface Said extends Record<string, unknown> {
  sub: string;
  email?: string;
  email_verified?: boolean;
  preferred_username?: string;
  name?: string;
}

async function claimsOf(config: Configuration, tokens: Tokens): Promise<Said> {
  const claims = tokens.claims();
  if (!claims) throw new Error('The provider sent no ID token. Is the scope openid among those it grants?');
  if (!claims.sub) throw new Error('The provider did not say who it is');
  if (claims['email'] || !config.serverMetadata().userinfo_endpoint) return claims;
  return { ...claims, ...(await fetchUserInfo(config, tokens.access_token, claims.sub)) };
}
