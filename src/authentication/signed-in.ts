import { createHmac } from 'node:crypto';
import type { Request } from 'express';
import type { Context } from '#src/context';
import { presentedToken } from '#src/platform/http/credential-headers';
import type { Claimed } from '#src/platform/http/limit-everything';
import { networkOf } from '#src/platform/http/network';
import { sessionIn } from '#src/sessions/access-tokens';
import { Principal } from '#src/users/principal';

/** Longest access token that is looked at, in characters. */
const MAX_TOKEN = 4096;

/**
 * Whom a request seems to come from before a guard has asked, at no cost for a database. `verify`: checks the signature of
 * a token that was not seen before. What it answers is good for counting only.
 */
export function claimedBy(ctx: Context, req: Request, verify: boolean): Claimed | undefined {
  const { strategies, verifiedTokens } = ctx;
  for (const token of tokensIn(ctx, req)) {
    const session = verify ? sessionIn(ctx, token) : verifiedTokens.get(token)?.claims.sid;
    if (session !== undefined) return { by: 'session', subject: session };
  }
  return strategies.recent.size > 0 ? strategies.recent.get(digestOf(ctx, req)) : undefined;
}

function* tokensIn({ strategies }: Context, req: Request): Generator<string> {
  for (const read of [presentedToken, ...strategies.tokenPlaces]) {
    const token = read(req);
    if (token !== undefined && token.length <= MAX_TOKEN) yield token;
  }
}

/** Remembers a credential that has no session, such as an API key, for the next request with it. */
export function rememberCredential(ctx: Context, req: Request): void {
  const { user } = req;
  if (user instanceof Principal && !user.session)
    rememberAs(ctx, req, { by: 'session', subject: `user ${user.id}` });
}

/** The same for the credentials of a service. */
export const rememberService = (ctx: Context, req: Request, { id }: { id: string }): void =>
  rememberAs(ctx, req, { by: 'service', subject: id });

const rememberAs = (ctx: Context, req: Request, claimed: Claimed): void =>
  void ctx.strategies.recent.set(digestOf(ctx, req), claimed);

/** Of a network and what it sent: a header that a proxy sets is no secret, and others may send it, too. */
function digestOf({ secrets, strategies }: Context, req: Request): string {
  const hmac = createHmac('sha256', secrets.keysFor('limits')[0]!).update(networkOf(req));
  for (const name of new Set(['authorization', ...strategies.credentialHeaders.keys()]))
    hmac.update(`\n${name}:${String(req.headers[name] ?? '')}`);
  return hmac.digest('base64');
}
