import cors from 'cors';
import type { CookieOptions, Request } from 'express';
import { z } from 'zod';
import { identify } from '#src/authentication/guards';
import { authenticateBy, type CompatibilityAdapter } from '#src/compat/adapter';
import {
  bezkoderSource,
  commonRoutes,
  member,
  memberFields,
  Message,
  SignInInput,
} from '#src/compat/bezkoder';
import { refuse, Refused } from '#src/compat/bezkoder-refusals';
import { refreshFor, signInFor } from '#src/compat/shared';
import type { Context } from '#src/context';
import { cookiesNamed, hostCookie, isSecure } from '#src/platform/http/cookies';
import { Problem } from '#src/platform/http/problem';
import { guard, post } from '#src/platform/http/route';
import { isAllowedOrigin, originMatcher } from '#src/platform/settings/origins';
import type { Settings } from '#src/platform/settings/settings';
import { limitRefresh } from '#src/sessions/routes';
import { signOut } from '#src/sessions/sign-out';

const name = 'bezkoder-cookies';
const tag = `Compatibility: ${name}`;

/** Cookies of sessions: they end with the browser, as the original's. */
function cookiesOf(settings: Settings) {
  const secure = isSecure(settings);
  const attributes: CookieOptions = {
    httpOnly: true,
    sameSite: 'strict',
    secure,
    path: secure ? '/' : `${settings.basePath}/api`,
  };
  const [access, refresh] = ['session', 'refresh'].map((name) =>
    hostCookie(settings, `bezkoder-${name}`),
  ) as [string, string];
  return { access, refresh, attributes };
}

type Headers = Pick<Request, 'headers'>;
/** Of several cookies of one name, we cannot tell which is ours. Then there is none. */
function onlyCookie(req: Headers, name: string): string | undefined {
  const [value, ...others] = cookiesNamed(req, name);
  return others.length === 0 ? value || undefined : undefined;
}

/**
 * CSRF, at sign-in, too: a browser sends its cookie with any request, and takes a cookie from any answer. So only our
 * own origin and ALLOWED_ORIGINS may change something. What has no Origin comes from no page, or from one of ours: else
 * the browser says that it crosses sites.
 */
function requireOwnPage({ publicUrl, allowedOrigins }: Settings) {
  const own = new URL(publicUrl).origin;
  return guard({ problems: ['forbidden'] }, (req, _res, next) => {
    const { origin, 'sec-fetch-site': site = 'none' } = req.headers;
    const isOurs = site === 'none' || site === 'same-origin';
    const isAllowed =
      origin === undefined || origin === own ? isOurs : isAllowedOrigin(allowedOrigins, origin);
    if (!isAllowed) throw new Problem('forbidden', { members: { required: [] } });
    next();
  });
}

const SignedIn = z.object(memberFields).meta({ id: 'BezkoderCookiesSignedIn' });
const Nothing = z.object({}).meta({ id: 'BezkoderCookiesNothing' });

function routes(ctx: Context) {
  const { settings } = ctx;
  const { access, refresh, attributes } = cookiesOf(settings);
  const fromOwnPage = requireOwnPage(settings);
  return [
    ...commonRoutes(ctx, {
      name: 'bezkoderCookies',
      tag,
      authenticated: authenticateBy(ctx, (req) => onlyCookie(req, access)),
      guards: [fromOwnPage],
    }),
    post(
      '/api/auth/signin',
      [fromOwnPage, identify(ctx, 'local')],
      {
        operationId: 'bezkoderCookiesSignIn',
        tag,
        summary: 'Sign in',
        body: SignInInput,
        returns: SignedIn,
      },
      async (req, res) => {
        const { accessToken, user, tokens } = await signInFor(ctx, req);
        const body = await member(ctx, user);
        res.cookie(access, accessToken, attributes);
        res.cookie(refresh, tokens.refreshToken, attributes);
        return body;
      },
    ),
    post(
      '/api/auth/refreshtoken',
      [fromOwnPage, limitRefresh(ctx)],
      {
        operationId: 'bezkoderCookiesRefresh',
        tag,
        summary: 'Refresh',
        description: 'Sets the cookie of the access token again. The refresh token stays the same.',
        body: Nothing,
        returns: Message,
      },
      async (req, res) => {
        const presented = onlyCookie(req, refresh);
        if (presented === undefined) throw new Problem('invalid_request');
        const { accessToken } = await refreshFor(ctx, req, presented);
        res.cookie(access, accessToken, attributes);
        return { message: 'Token is refreshed successfully!' };
      },
    ),
    post(
      '/api/auth/signout',
      [fromOwnPage],
      {
        operationId: 'bezkoderCookiesSignOut',
        tag,
        summary: 'Sign out',
        body: Nothing,
        returns: Message,
      },
      async (req, res) => {
        for (const accessToken of cookiesNamed(req, access))
          await signOut(ctx, { accessToken }, 'session');
        for (const refreshToken of cookiesNamed(req, refresh))
          await signOut(ctx, { refreshToken }, 'session');
        for (const name of [access, refresh]) res.clearCookie(name, attributes);
        return { message: "You've been signed out!" };
      },
    ),
  ];
}

export const bezkoderCookies = (ctx: Context): CompatibilityAdapter => ({
  name,
  routes: routes(ctx),
  refuse,
  refusal: { 'application/json': Refused },
  source: bezkoderSource,
  crossOrigin: cors({ origin: ctx.settings.allowedOrigins.map(originMatcher), credentials: true }),
});
