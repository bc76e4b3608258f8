import type { z } from 'zod';
import type { Context } from '#src/context';
import { signAccessToken } from '#src/sessions/access-tokens';
import type { StoredSession } from '#src/sessions/find-session';
import { refreshTokenOf } from '#src/sessions/refresh-tokens';
import type { Tokens } from '#src/sessions/schemas';
import { proofOf } from '#src/users/assurance';
import type { Principal } from '#src/users/principal';
import { publicUser } from '#src/users/schemas';

/** With the refresh token, which `withRefreshCookie` may move from the answer into a cookie. */
export type TokensBody = z.input<typeof Tokens> & { refreshToken: string };

/** The columns of a session that its tokens are made of: a stored session or a row. */
export type TokenSession = Pick<
  StoredSession,
  | 'id'
  | 'userId'
  | 'strategy'
  | 'generation'
  | 'createdAt'
  | 'expiresAt'
  | 'amr'
  | 'aal2At'
  | 'authenticatedAt'
  | 'dpopKey'
>;

/** RFC 9449 §5. */
export const tokenTypeOf = ({ dpopKey }: Pick<TokenSession, 'dpopKey'>): 'Bearer' | 'DPoP' =>
  dpopKey ? 'DPoP' : 'Bearer';

/**
 * The answer to a sign-in or refresh: tokens for the current generation of a session. `accessTokenTtl`: seconds.
 */
export function issueTokens(
  ctx: Context,
  session: TokenSession,
  user: Principal,
  accessTokenTtl = ctx.settings.accessTokenTtl,
): TokensBody {
  const { id, strategy, createdAt, expiresAt } = session;
  const secondsLeft = Math.round((expiresAt.getTime() - ctx.clock.now()) / 1000);
  return {
    tokenType: tokenTypeOf(session),
    accessToken: signAccessToken(ctx, session, accessTokenTtl),
    expiresIn: accessTokenTtl,
    refreshToken: refreshTokenOf(ctx, session),
    refreshExpiresIn: Math.max(0, secondsLeft),
    session: { id, strategy, createdAt, expiresAt, ...proofOf(session) },
    user: publicUser(user),
  };
}
