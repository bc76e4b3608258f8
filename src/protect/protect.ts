import { AccessTokens } from '#src/protect/access-token';
import { AuthServer, Unavailable } from '#src/protect/auth-server';
import { ChangeFeed } from '#src/protect/change-feed';
import { credentialIn, sendsDpop, type AskedRequest } from '#src/protect/credential';
import { KeySet } from '#src/protect/key-set';
import { guardsOf, type Guards, type Verify } from '#src/protect/middleware';
import { checked, type ProtectOptions } from '#src/protect/options';
import { Possession } from '#src/protect/possession';
import { missing, principalOf } from '#src/protect/principal';
import { problemOf, Refusal, type Problem } from '#src/protect/refusal';
import { Sessions } from '#src/protect/sessions';

export type { DpopOptions, ProtectOptions } from '#src/protect/options';
export type { Principal, Required } from '#src/protect/principal';
export type { Problem } from '#src/protect/refusal';
export type { Guard, Verdict } from '#src/protect/middleware';

export interface Protection extends Guards {
  /** Answers who sends a request, or the problem to answer. It never throws for what a request holds. */
  readonly verify: Verify;
  /** Stops asking the auth server. Nobody is let in any more. */
  readonly close: () => Promise<void>;
}

/**
 * Guards the routes of another service. Tokens are checked by the published keys of the auth server, sessions and roles are
 * asked for once, and kept until its feed of changes says otherwise. Nothing is asked before the first request.
 * @throws {TypeError} with the mistake in the options
 */
export function protect(options: ProtectOptions): Protection {
  const { issuer, audience, url, service, graceSeconds, pollSeconds, dpop, warn } =
    checked(options);
  const server = new AuthServer(url, service);
  const keys = new KeySet(() => server.keys());
  const tokens = new AccessTokens(keys, { issuer, audience });
  const feed: ChangeFeed = new ChangeFeed({
    pollSeconds,
    poll: (after, wait, closing) => server.changes(after, wait, closing),
    onChanges(changes) {
      if (changes.some(({ type }) => type === 'key.made')) keys.expire();
      sessions.change(changes.filter(({ type }) => type !== 'key.made'));
    },
    onReset() {
      if (feed.isFollowing) keys.expire(); // else they were read a moment ago
      sessions.reset();
    },
    onHealth: (error) =>
      error === undefined
        ? warn('the auth server tells again what changes')
        : warn(`the auth server does not tell what changes: ${reasonOf(error)}`, error),
  });
  const introspect = (token: string) => server.introspect(token);
  const sessions = new Sessions({ introspect, feed, graceSeconds });
  const possession = new Possession(dpop, service.secret);
  const said = (refusal: Refusal, request: AskedRequest): Problem =>
    problemOf(refusal, {
      url,
      takesDpop: possession.isOn,
      sentDpop: sendsDpop(request),
      headers: possession.headers(),
    });
  let isClosed = false;

  const verify: Verify = async (request, required = {}) => {
    try {
      const credential = credentialIn(request);
      if (isClosed) throw new Refusal('unavailable');
      const { token } = credential;
      const claims = await tokens.verify(token);
      const proof = possession.check(credential, claims);
      const { state, stale } = await sessions.stateOf(token, claims);
      if (proof) possession.spend(proof);
      const names = missing(state, required);
      if (names) throw new Refusal('forbidden', { required: names });
      return { principal: principalOf(claims, state, stale), headers: possession.headers() };
    } catch (error) {
      if (error instanceof Refusal) return { problem: said(error, request) };
      if (error instanceof Unavailable)
        return { problem: said(new Refusal('unavailable'), request) };
      throw error;
    }
  };
  return {
    verify,
    ...guardsOf(verify, said),
    async close() {
      isClosed = true;
      await feed.close();
    },
  };
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : 'unknown');
