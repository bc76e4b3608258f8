import { Strategy, type Profile, type StrategyOptions } from 'passport-github2';
import { Problem } from '#src/platform/http/problem';

type Verify = (
  accessToken: string,
  refreshToken: string,
  profile: Profile,
  done: (error: Error | null, user?: Express.User | false) => void,
) => void;
type Done = (error?: Error | null, profile?: Profile) => void;
/** node-oauth: the answer that was no success. */
interface Refused {
  statusCode?: number;
  data?: unknown;
}
type GotTokens = (error: Refused | null, token?: string, refresh?: string, all?: object) => void;
/** What is used here of node-oauth. */
interface Client {
  get(url: string, token: string, done: (error: Refused | null, body?: unknown) => void): void;
  getOAuthAccessToken(code: string, params: object, done: GotTokens): void;
}

/** An address as GitHub's API describes it. */
export interface Address {
  email: string;
  primary: boolean;
  verified: boolean;
}

/**
 * Reads the addresses itself: the library refuses everybody whose addresses it may not read, and
 * who has none. Addresses that were not granted are no reason to refuse.
 */
export class GitHubStrategy extends Strategy {
  /** Not private to the class: each request gets an object that only inherits from this one. */
  readonly _addressesUrl: string;

  constructor(options: StrategyOptions, addressesUrl: string, verify: Verify) {
    super(options, verify);
    this._addressesUrl = addressesUrl;
    tellRefusals((this as unknown as { _oauth2: Client })._oauth2);
  }

  /** Without `scope` in the options, the library does not ask for addresses. */
  override authorizationParams({
    prompt,
    loginHint,
  }: {
    prompt?: string;
    loginHint?: string;
  }): object {
    return {
      scope: 'user:email',
      ...(prompt && { prompt }),
      ...(loginHint && { login: loginHint }),
    };
  }

  override userProfile(accessToken: string, done: Done): void {
    const url = this._addressesUrl;
    const { _oauth2: client } = this as unknown as { _oauth2: Client };
    super.userProfile(accessToken, (error?: Error | null, profile?: Profile) => {
      if (error) return done(rateLimit(error) ?? error);
      client.get(url, accessToken, (refused, body) => {
        try {
          done(null, Object.assign(profile!, { addresses: addressesIn(refused, body) }));
        } catch (cause) {
          done(cause as Error);
        }
      });
    });
  }
}

/** GitHub refuses with status 200. The library then says no reason. */
function tellRefusals(client: Client): void {
  const original = client.getOAuthAccessToken.bind(client);
  client.getOAuthAccessToken = (code, params, done) =>
    original(code, params, (error, token, refresh, all = {}) => {
      const isRefusal = !error && !token && 'error' in all;
      if (isRefusal) done({ statusCode: 200, data: JSON.stringify(all) });
      else done(error, token, refresh, all);
    });
}

/** The user did not grant the permission, or the app does not have it. */
const NOT_GRANTED = [403, 404];

/** @throws for anything but a list, and for what was not granted */
function addressesIn(refused: Refused | null, body: unknown): Address[] {
  if (refused) {
    const failure = Object.assign(new Error('GitHub does not tell the addresses'), {
      oauthError: refused,
    });
    const limited = rateLimit(failure);
    if (limited || !NOT_GRANTED.includes(refused.statusCode ?? 0)) throw limited ?? failure;
    return [];
  }
  const list = JSON.parse(String(body)) as Address[];
  if (!Array.isArray(list)) throw new Error('GitHub sent no list of addresses');
  return list.filter((each) => typeof each === 'object' && each !== null);
}

/** GitHub answers 403, too, when it was asked too often. */
function rateLimit(error: Error): Problem | undefined {
  const { statusCode, data } = (error as { oauthError?: Refused }).oauthError ?? {};
  const isLimited = statusCode === 403 && /rate limit/i.test(String(data));
  return isLimited ? new Problem('unavailable', { cause: error }) : undefined;
}
