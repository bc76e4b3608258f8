import type { Request } from 'express';
import {
  fetchUserInfo,
  randomNonce,
  randomState,
  tokenRevocation,
  type Configuration,
} from 'openid-client';
import {
  Strategy,
  type AuthenticateOptions,
  type StrategyOptionsWithRequest,
  type VerifyFunction,
  type VerifyFunctionWithRequest as VerifyWithRequest,
} from 'openid-client/passport';
import { verify, type StrategyContext } from '#src/strategy-kit/strategy';
import { discover, type Provider } from '#strategies/_openid-provider';

type Tokens = Parameters<VerifyFunction>[0];
type Initiation = Parameters<Strategy['shouldInitiateAuthRequest']>;
interface Client extends Provider {
  scope?: string | undefined;
  /** False for a user who may not sign in, such as one of another Workspace domain. */
  accepts?: (claims: Record<string, unknown>) => boolean;
  /** True if the claims of this ID token say two factors, and the operator believes them. */
  twoFactors?: (claims: Record<string, unknown>) => boolean;
  /** For a provider that answers with a form, and sends the name of a user in it. */
  formPost?: { nameIn: (form: Record<string, unknown>) => string | undefined };
  /** Keeps the refresh token with the identity, for `revoke` of the strategy. */
  keepsGrant?: boolean;
}

/**
 * The library leaves out state and nonce where PKCE is enough. We send all three, in case a
 * provider ignores one.
 */
class StrategyWithNonce extends Strategy {
  /** Not private to the class: each request gets an object that only inherits from this one. */
  readonly _isFormPost: boolean;

  constructor(options: StrategyOptionsWithRequest, isFormPost: boolean, find: VerifyWithRequest) {
    super(options, find);
    this._isFormPost = isFormPost;
  }

  /** The library reads a form from the request, whose body has been read before. */
  override authenticate(req: Request, options: AuthenticateOptions): void {
    const isForm = this._isFormPost && req.method === 'POST';
    Strategy.prototype.authenticate.call(this as never, isForm ? asQuery(req) : req, options);
  }

  override shouldInitiateAuthRequest(...[req, url, options]: Initiation): boolean {
    return !(FORM in req) && super.shouldInitiateAuthRequest(req, url, options);
  }

  override authorizationRequestParams(req: Request, options: AuthenticateOptions) {
    const params = new URLSearchParams(super.authorizationRequestParams(req, options));
    params.set('nonce', randomNonce());
    params.set('state', randomState());
    if (this._isFormPost) params.set('response_mode', 'form_post');
    // The library passes on prompt and login_hint. It compares max_age with auth_time.
    const { acrValues, uiLocales, maxAge } = options as Record<string, string | undefined>;
    const more = { acr_values: acrValues, ui_locales: uiLocales, max_age: maxAge };
    for (const [name, value] of Object.entries(more))
      if (value !== undefined) params.set(name, value);
    return params;
  }
}

/**
 * Signs in at an OpenID provider that is found by its issuer (OpenID Connect Discovery). The ID
 * token must be signed with a key of the provider. The userinfo endpoint is asked for what it lacks.
 */
export async function openId(
  {
    scope = 'openid email profile',
    accepts = () => true,
    twoFactors,
    formPost,
    keepsGrant,
    ...provider
  }: Client,
  { callbackUrl, resolveUser }: StrategyContext,
): Promise<Strategy> {
  const { config, verifySignature } = await discover(provider);
  const find = async ({ body }: Request, tokens: Tokens) => {
    if (!tokens.id_token)
      throw new Error('The provider sent no ID token. Is the scope openid among those it grants?');
    await verifySignature(tokens.id_token);
    const claims = await claimsOf(config, tokens);
    if (!accepts(claims)) return null;
    const { sub, email, email_verified, preferred_username, name } = claims;
    return resolveUser({
      // A subject is unique only at its issuer (OpenID Connect Core §5.7). If the issuer of this
      // strategy changes, users must not turn into each other.
      issuer: config.serverMetadata().issuer,
      subject: sub,
      email,
      emailVerified: email_verified,
      username: preferred_username,
      name: formPost ? formPost.nameIn(body as Record<string, unknown>) : name,
      twoFactors: twoFactors?.(tokens.claims()!), // userinfo does not speak of this sign-in
      grant: keepsGrant ? tokens.refresh_token : undefined,
    });
  };
  const options = { config, scope, callbackURL: callbackUrl, passReqToCallback: true } as const;
  return new StrategyWithNonce(options, formPost !== undefined, verify(find));
}

/** Ends what a provider granted, by its refresh token (RFC 7009). A token that is void is no error. */
export async function revokeGrant(provider: Provider, refreshToken: string): Promise<void> {
  const { config } = await discover(provider);
  await tokenRevocation(config, refreshToken, { token_type_hint: 'refresh_token' });
}

/** In a request: its query is that of a form. */
const FORM = Symbol('form');

/** A callback by form as if it had come by redirect. */
function asQuery(req: Request): Request {
  const given = Object.entries(req.body as Record<string, unknown>);
  const params = given.filter((each): each is [string, string] => typeof each[1] === 'string');
  const url = `${req.originalUrl.split('?')[0]!}?${new URLSearchParams(params).toString()}`;
  return Object.assign(Object.create(req) as Request, {
    [FORM]: true,
    method: 'GET',
    originalUrl: url,
  });
}

interface IdClaims extends Record<string, unknown> {
  sub: string;
  email?: string | undefined;
  email_verified?: boolean;
  preferred_username?: string;
  name?: string;
}

/** Claims that providers may leave to userinfo (OpenID Connect Core §5.4). */
const NEEDED = ['email', 'email_verified', 'name'];

async function claimsOf(config: Configuration, tokens: Tokens): Promise<IdClaims> {
  const claims: Partial<IdClaims> = tokens.claims()!;
  const { sub } = claims;
  if (!sub) throw new Error('The provider did not say who it is');
  const isComplete = NEEDED.every((name) => claims[name] !== undefined);
  const info: Partial<IdClaims> =
    isComplete || !config.serverMetadata().userinfo_endpoint
      ? {}
      : await fetchUserInfo(config, tokens.access_token, sub);
  const email = claims.email ?? info.email;
  return { ...info, ...claims, sub, email, email_verified: isVerified(email, [claims, info]) };
}

/** What the first of these says of this address. Some providers say it with the text `true`. */
function isVerified(email: unknown, sources: readonly Partial<IdClaims>[]): boolean {
  const said: unknown = sources
    .filter((source) => source.email === undefined || source.email === email)
    .map((source) => source.email_verified)
    .find((each) => each !== undefined);
  return said === true || said === 'true';
}
