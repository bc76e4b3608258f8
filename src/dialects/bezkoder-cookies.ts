import type { CookieOptions, Request } from 'express';
import cors from 'cors';
import { z } from 'zod';
import { config } from '#src/config';
import { Problem } from '#src/core/problem';
import { authenticateBy } from '#src/http/dialect';
import { limit } from '#src/http/limits';
import { authenticate } from '#src/http/passport';
import { guard, post } from '#src/http/route';
import { bezkoderTables, common, member, memberFields, refuse, Refused, Said } from '#src/dialects/bezkoder';
import { Credentials, enter, type Tutorial } from '#src/dialects/words';
import { signOut } from '#src/sessions/sign-out';

const tag = 'Dialect: bezkoder-cookies';
const COOKIE = 'bezkoder-session';

const cookie: CookieOptions = {
  httpOnly: true,
  sameSite: 'strict',
  secure: config.PUBLIC_URL.startsWith('https:'),
  path: '/api',
};
const NAMED = new RegExp(`(?:^|; *)${COOKIE}=([^;]+)`, 'g');
/** A neighbour's page may have planted one more of the same name. */
const cookiesOf = ({ headers }: Pick<Request, 'headers'>) => [
  ...new Set([...(headers.cookie ?? '').matchAll(NAMED)].map(([, value]) => value!)),
];
/** Of several nobody can tell which is ours. */
const inCookie = (req: Pick<Request, 'headers'>) => {
  const [token, ...others] = cookiesOf(req);
  return others.length === 0 ? token : undefined;
};

/** A browser sends the cookie along whoever asks it to: only pages of our own may change something. */
const requireOwnPage = guard({ problems: ['forbidden'] }, (req, _res, next) => {
  const { origin } = req.headers;
  const ours = origin === undefined || origin === config.PUBLIC_URL || config.ALLOWED_ORIGINS.includes(origin);
  if (!ours) throw new Problem('forbidden', { members: { required: [] } });
  next();
});

export default (): Tutorial => ({
  name: 'bezkoder-cookies',
  refusal: { 'application/json': Refused },
  source: bezkoderTables,
  refuse,
  crossOrigin: cors({ origin: config.ALLOWED_ORIGINS, credentials: true }),
  routes: [
    ...common(tag, authenticateBy(inCookie), requireOwnPage),
    post(
      '/api/auth/signin',
      [requireOwnPage, limit('sign-in'), authenticate('local')],
      { tag, summary: 'Sign in', body: Credentials('username'), returns: z.object(memberFields) },
      async (req, res) => {
        const { accessToken } = await enter(req);
        res.cookie(COOKIE, accessToken, { ...cookie, maxAge: config.DIALECT_ACCESS_TOKEN_TTL * 1000 });
        return member(req.user);
      },
    ),
    post('/api/auth/signout', [requireOwnPage], { tag, summary: 'Sign out', body: z.object({}), returns: Said }, async (req, res) => {
      for (const accessToken of cookiesOf(req)) await signOut({ accessToken }, 'session');
      res.clearCookie(COOKIE, cookie);
      return { message: "You've been signed out!" };
    }),
  ],
});
