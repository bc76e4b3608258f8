import cors from 'cors';
import type { CookieOptions, Request } from 'express';
import { z } from 'zod';
import { identify } from '#src/authentication/guards';
import { SIGN_IN } from '#src/authentication/limits';
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
import { signInFor } from '#src/compat/shared';
import type { Context } from '#src/context';
import { cookiesNamed } from '#src/platform/http/cookies';
import { Problem } from '#src/platform/http/problem';
import { limit } from '#src/platform/http/rate-limit';
import { guard, post } from '#src/platform/http/route';
import type { Settings } from '#src/platform/settings/settings';
import { signOut } from '#src/sessions/sign-out';

const name = 'bezkoder-cookies';
const tag = `Compatibility: ${name}`;
const COOKIE = 'bezkoder-session';

const cookieAttributes = ({ publicUrl, basePath }: Settings): CookieOptions => ({
  httpOnly: true,
  sameSite: 'strict',
  secure: publicUrl.startsWith('https:'),
  path: `${basePath}/api`,
});

type Headers = Pick<Request, 'headers'>;
/** The tokens in cookies of our name. A page of a neighbouring domain may have planted one. */
const tokensIn = (req: Headers) => [...new Set(cookiesNamed(req, COOKIE).filter(Boolean))];
/** Of several tokens, we cannot tell which is ours. Then there is none. */
const inCookie = (req: Headers) => {
  const [token, ...others] = tokensIn(req);
  return others.length === 0 ? token : undefined;
};

/** CSRF: a browser sends the cookie with any request, so only our own origin and ALLOWED_ORIGINS may change something. */
function requireOwnPage({ publicUrl, allowedOrigins }: Settings) {
  const own = new URL(publicUrl).origin;
  return guard({ problems: ['forbidden'] }, (req, _res, next) => {
    const { origin } = req.headers;
    const isOwn = origin === undefined || origin === own || allowedOrigins.includes(origin);
    if (!isOwn) throw new Problem('forbidden', { members: { required: [] } });
    next();
  });
}

const SignedIn = z.object(memberFields).meta({ id: 'BezkoderCookiesSignedIn' });
const SignOutInput = z.object({}).meta({ id: 'BezkoderCookiesSignOutInput' });

function routes(ctx: Context) {
  const { settings } = ctx;
  const cookie = cookieAttributes(settings);
  const fromOwnPage = requireOwnPage(settings);
  return [
    ...commonRoutes(ctx, {
      name: 'bezkoderCookies',
      tag,
      authenticated: authenticateBy(ctx, inCookie),
      guards: [fromOwnPage],
    }),
    post(
      '/api/auth/signin',
      [fromOwnPage, limit(ctx, SIGN_IN), identify(ctx, 'local')],
      {
        operationId: 'bezkoderCookiesSignIn',
        tag,
        summary: 'Sign in',
        body: SignInInput,
        returns: SignedIn,
      },
      async (req, res) => {
        const { accessToken, user } = await signInFor(ctx, req);
        const maxAge = settings.dialectAccessTokenTtl * 1000;
        res.cookie(COOKIE, accessToken, { ...cookie, maxAge });
        return member(user);
      },
    ),
    post(
      '/api/auth/signout',
      [fromOwnPage],
      {
        operationId: 'bezkoderCookiesSignOut',
        tag,
        summary: 'Sign out',
        body: SignOutInput,
        returns: Message,
      },
      async (req, res) => {
        for (const accessToken of tokensIn(req)) await signOut(ctx, { accessToken }, 'session');
        res.clearCookie(COOKIE, cookie);
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
  crossOrigin: cors({ origin: [...ctx.settings.allowedOrigins], credentials: true }),
});
