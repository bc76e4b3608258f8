import type { CookieOptions, Request, Response } from 'express';
import { z } from 'zod';
import type { Context } from '#src/context';
import { presentedToken } from '#src/platform/http/credential-headers';
import { cookiesNamed, hostCookie, isSecure } from '#src/platform/http/cookies';
import { fromOrigin } from '#src/platform/http/own-origin';
import { Problem } from '#src/platform/http/problem';
import { guard, type Route } from '#src/platform/http/route';
import { MAX_REFRESH_TOKEN, Tokens } from '#src/sessions/schemas';

const HEADER = 'X-Refresh-Token';
const header = z.strictObject({
  [HEADER]: z.literal('cookie').optional().meta({
    description:
      'For a page on the origin of this server: the refresh token is a cookie that no script can read, and is not in a body.',
  }),
});

/** True if this request has its refresh token in the cookie, or wants it there. */
export const wantsCookie = ({ headers }: Pick<Request, 'headers'>): boolean =>
  headers['x-refresh-token'] !== undefined;

const nameOf = ({ settings }: Context) => hostCookie(settings, 'sallyport-refresh');
const attributesOf = ({ settings }: Context): CookieOptions => ({
  httpOnly: true,
  sameSite: 'strict',
  secure: isSecure(settings),
  path: '/',
});

export const clearRefreshCookie = (ctx: Context, res: Response): void =>
  void res.clearCookie(nameOf(ctx), attributesOf(ctx));

/**
 * CSRF, at sign-in, too: a browser sends its cookie with any request, and takes a cookie from any answer. No other origin
 * can send the header, because CORS does not allow it. Whoever lets it through by mistake is stopped by `Origin`, which no
 * page can forge.
 */
export const onlyFromOwnPage = (ctx: Context) => {
  const isOwn = fromOrigin(ctx.settings);
  return guard({ problems: ['origin_refused'], header }, ({ headers }, _res, next) => {
    if (wantsCookie({ headers })) {
      if (headers['x-refresh-token'] !== 'cookie')
        throw wrong('unknown_value', `${HEADER} can be “cookie” only`);
      if (!isOwn({ headers })) throw new Problem('origin_refused');
    }
    next();
  });
};

const wrong = (code: string, message: string, pointer = '') =>
  new Problem('invalid_request', { members: { errors: [{ pointer, code, message }] } });

/**
 * Stands before a sign-out. A cookie counts only with the header: without it, and without any other token, the sign-out
 * would end nothing, and whoever asked would think that it had.
 * @throws {Problem} 400 `invalid_request`
 */
export const refuseCookieAlone = (ctx: Context) => {
  const name = nameOf(ctx);
  return guard<{ body: { refreshToken?: string } }>({}, (req, _res, next) => {
    const { refreshToken } = req.body as { refreshToken?: string };
    const isNamed = wantsCookie(req) || refreshToken !== undefined || presentedToken(req);
    if (!isNamed && cookiesNamed(req, name).length > 0)
      throw wrong('required', `The cookie counts with the header “${HEADER}: cookie” only`);
    next();
  });
};

/**
 * Puts the token of the cookie into the body, if the header says so. From there on, both are the same. `isNeeded`: there
 * must be one.
 * @throws {Problem} 400 `invalid_request` for a token in the body, too, and for two cookies of the name: one of them was
 * planted
 */
export const takeRefreshToken = (ctx: Context, isNeeded = false) => {
  const name = nameOf(ctx);
  return guard<{ body: { refreshToken?: string } }>({}, (req, _res, next) => {
    const body = req.body as { refreshToken?: string };
    if (wantsCookie(req)) {
      if (body.refreshToken !== undefined)
        throw wrong(
          'two_credentials',
          'Send the token in the cookie or here, not both',
          '/refreshToken',
        );
      const [token, ...others] = cookiesNamed(req, name);
      if (others.length > 0) throw wrong('two_credentials', `Send one cookie ${name}`);
      if (token && token.length > MAX_REFRESH_TOKEN)
        throw wrong('too_big', `The cookie ${name} is too long`);
      if (token) body.refreshToken = token;
    }
    if (isNeeded && body.refreshToken === undefined) throw missing(req);
    next();
  });
};

const missing = (req: Request) =>
  wantsCookie(req)
    ? new Problem('invalid_grant', { members: { reason: 'missing', sessionStatus: 'unknown' } })
    : wrong('required', 'This field is required', '/refreshToken');

/**
 * The same route. If it answers tokens, and the request says so, its refresh token goes into the cookie and not into the
 * body. If it says that the session of the cookie has ended, the cookie goes, too.
 */
export const withRefreshCookie = (ctx: Context) => {
  const fromOwnPage = onlyFromOwnPage(ctx);
  return (route: Route): Route => {
    if (route.spec.returns !== Tokens) return route;
    const answer = route.handler as Handler;
    const handler: Handler = async (req, res) => {
      if (!wantsCookie(req)) return answer(req, res);
      try {
        return setCookie(ctx, res, await answer(req, res));
      } catch (error) {
        if (error instanceof Problem && error.members.sessionStatus === 'ended')
          clearRefreshCookie(ctx, res);
        throw error;
      }
    };
    const { guards } = route;
    const known = guards.findIndex(({ doc }) => doc.security) + 1; // who it is comes first
    return { ...route, guards: guards.toSpliced(known, 0, fromOwnPage), handler };
  };
};

type TokensAnswer = z.input<typeof Tokens>;
type Handler = (req: Request, res: Response) => Promise<TokensAnswer>;

function setCookie(ctx: Context, res: Response, tokens: TokensAnswer): TokensAnswer {
  const { refreshToken, ...others } = tokens;
  const maxAge = tokens.refreshExpiresIn * 1000;
  res.cookie(nameOf(ctx), refreshToken, { ...attributesOf(ctx), maxAge });
  return others;
}
