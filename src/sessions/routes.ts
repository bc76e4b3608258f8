import { z } from 'zod';
import { Session } from '#models/index';
import { Id, Listing, newestFirst, Page } from '#src/core/listing';
import { presentedToken } from '#src/http/bearer';
import { requireFullAccess } from '#src/http/guards';
import { limit } from '#src/http/limits';
import { authenticate } from '#src/http/passport';
import { del, get, post } from '#src/http/route';
import { deviceOf } from '#src/sessions/device';
import { endOtherSessions, endSession } from '#src/sessions/mine';
import { refreshSession } from '#src/sessions/refresh';
import { readRefreshToken } from '#src/sessions/refresh-tokens';
import { ListedSession, listedSession, Tokens, tokensFor } from '#src/sessions/schemas';
import { signOut } from '#src/sessions/sign-out';

const RefreshToken = z.string().min(1).max(1024);

/** Only tokens of ours are counted: others ask the database nothing, and would fill it with counters. */
export const limitRefresh = limit('refresh', (req) => readRefreshToken((req.body as { refreshToken: string }).refreshToken)?.sessionId);

export default [
  post(
    '/auth/refresh',
    [limitRefresh],
    {
      tag: 'Entering',
      summary: 'Get new tokens for a refresh token',
      description:
        'Store the new refresh token before you use the access token. If the reply is lost, ask again with the same one: it stays good until its successor is used. Never a 401.',
      body: z.strictObject({ refreshToken: RefreshToken }),
      returns: Tokens,
      problems: ['invalid_grant', 'unavailable'],
    },
    async (req) => {
      const session = await refreshSession(req.body.refreshToken, deviceOf(req));
      return tokensFor(session, session.user);
    },
  ),

  post(
    '/auth/logout',
    [],
    {
      tag: 'Being in',
      summary: 'Sign out',
      description:
        'With the refresh token in the body, the access token in the header, or both; an expired one will do. `others` ends all sessions of the user but this one, `all` every one. The answer is the same whatever the tokens are worth.',
      body: z.strictObject({ refreshToken: RefreshToken.optional(), scope: z.enum(['session', 'others', 'all']).default('session') }),
      problems: ['unavailable'],
    },
    (req) => signOut({ refreshToken: req.body.refreshToken, accessToken: presentedToken(req) }, req.body.scope),
  ),

  get(
    '/me/sessions',
    [authenticate()],
    { tag: 'Being in', summary: 'Where you are signed in', query: Page, returns: Listing(ListedSession) },
    async (req) => {
      const mine = { userId: req.user.id, ...Session.live(new Date()) };
      const { data, nextCursor } = await newestFirst(Session, mine, req.query);
      return { data: data.map((session) => listedSession(session, req.user.session?.id)), nextCursor };
    },
  ),

  del(
    '/me/sessions',
    [authenticate(), requireFullAccess],
    { tag: 'Being in', summary: 'Sign out everywhere else', description: 'Ends every session of yours but this one.' },
    (req) => endOtherSessions(req.user.id, req.user.session?.id),
  ),

  del(
    '/me/sessions/:id',
    [authenticate(), requireFullAccess],
    { tag: 'Being in', summary: 'Sign a device out', params: z.strictObject({ id: Id }), problems: ['not_found'] },
    (req) => endSession(req.user.id, req.params.id),
  ),
];
