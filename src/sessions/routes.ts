import type { Request } from 'express';
import { z } from 'zod';
import { authenticate, requireFullAccess } from '#src/authentication/guards';
import { proveKeyIfSent } from '#src/authentication/prove-key';
import type { Context } from '#src/context';
import { presentedToken } from '#src/platform/http/credential-headers';
import { Id, newestFirst, Page } from '#src/platform/http/listing';
import { limit, refuseDeferred } from '#src/platform/http/rate-limit';
import { del, get, guard, post, type Route } from '#src/platform/http/route';
import { deviceOf } from '#src/sessions/device';
import { issueTokens } from '#src/sessions/issue-tokens';
import { REFRESH } from '#src/sessions/limits';
import { endOtherSessions, endSession } from '#src/sessions/own-sessions';
import {
  clearRefreshCookie,
  onlyFromOwnPage,
  refuseCookieAlone,
  takeRefreshToken,
  wantsCookie,
} from '#src/sessions/refresh-cookie';
import { refreshSession } from '#src/sessions/refresh';
import { readRefreshToken } from '#src/sessions/refresh-tokens';
import {
  listedSession,
  RefreshInput,
  SessionPage,
  SignOutInput,
  Tokens,
} from '#src/sessions/schemas';
import { signOut } from '#src/sessions/sign-out';

const sessionInBody = (ctx: Context, { body }: Request) => {
  const { refreshToken, refresh_token: inForm } = body as Record<string, string | undefined>;
  const token = refreshToken ?? inForm;
  return token === undefined ? undefined : readRefreshToken(ctx, token)?.sessionId;
};

/** Counts genuine tokens only. Other texts cost no query, and would fill the store with counters. */
export const limitRefresh = (ctx: Context) => limit(ctx, REFRESH, (req) => sessionInBody(ctx, req));

/** Nobody is kept from signing out because their network is full, if they have a session. */
const refuseStrangers = (ctx: Context) =>
  guard({}, (req, _res, next) => {
    if (sessionInBody(ctx, req) === undefined) refuseDeferred(req);
    next();
  });

export const sessionRoutes = (ctx: Context): Route[] => [
  post(
    '/auth/refresh',
    [takeRefreshToken(ctx, true), limitRefresh(ctx), proveKeyIfSent(ctx)],
    {
      operationId: 'refreshTokens',
      tag: 'Authentication',
      summary: 'Get new tokens for a refresh token',
      description:
        'Store the new refresh token before you use the access token. If the answer is lost, ' +
        'ask again with the same token: it stays good until its successor is used. ' +
        'Never answers 401, unless a proof of possession (DPoP) is wrong.',
      body: RefreshInput,
      returns: Tokens,
      problems: ['invalid_grant', 'unavailable'],
    },
    async (req) => {
      const { session, user } = await refreshSession(ctx, req.body.refreshToken!, deviceOf(req));
      return issueTokens(ctx, session, user);
    },
  ),

  post(
    '/auth/logout',
    [onlyFromOwnPage(ctx), refuseCookieAlone(ctx), takeRefreshToken(ctx), refuseStrangers(ctx)],
    {
      operationId: 'signOut',
      tag: 'Account',
      summary: 'Sign out',
      description:
        'With the refresh token in the body, the access token in the header, or both. ' +
        'Expired tokens will do. ' +
        '`others` ends all sessions of the user but this one, `all` ends every session. ' +
        'The answer is the same for tokens that are not valid. ' +
        'Who acts for the user (impersonation) can end that session only.',
      body: SignOutInput,
      problems: ['impersonated', 'unavailable'],
    },
    async (req, res) => {
      const { refreshToken, scope } = req.body;
      await signOut(ctx, { refreshToken, accessToken: presentedToken(req) }, scope);
      if (wantsCookie(req)) clearRefreshCookie(ctx, res);
    },
  ),

  get(
    '/me/sessions',
    [authenticate(ctx, { toActors: true })],
    {
      operationId: 'listSessions',
      tag: 'Account',
      summary: 'List your sessions',
      query: Page,
      returns: SessionPage,
    },
    async (req) => {
      const { db, clock } = ctx;
      const own = { userId: req.user.id, ...db.Session.live(clock.date()) };
      const { data, nextCursor } = await newestFirst(db.Session, own, req.query);
      const current = req.user.session?.id;
      return { data: data.map((session) => listedSession(session, current)), nextCursor };
    },
  ),

  del(
    '/me/sessions',
    [authenticate(ctx), requireFullAccess],
    {
      operationId: 'deleteOtherSessions',
      tag: 'Account',
      summary: 'Sign out everywhere else',
      description: 'Ends every session of yours but this one.',
    },
    (req) => endOtherSessions(ctx, req.user.id, req.user.session?.id),
  ),

  del(
    '/me/sessions/:id',
    [authenticate(ctx), requireFullAccess],
    {
      operationId: 'deleteSession',
      tag: 'Account',
      summary: 'End one of your sessions',
      params: z.strictObject({ id: Id }),
      problems: ['not_found'],
    },
    (req) => endSession(ctx, req.user.id, req.params.id),
  ),
];
