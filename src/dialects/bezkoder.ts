import { z } from 'zod';
import type { User } from '#models/index';
import { sentenceOf, type Problem, type ProblemCode } from '#src/core/problem';
import { afterBearer, authenticateBy, inOwnHeader } from '#src/http/dialect';
import { requireOpenSignup, requireRole } from '#src/http/guards';
import { limit } from '#src/http/limits';
import { authenticate } from '#src/http/passport';
import type { Refusal } from '#src/http/render-problem';
import { get, post, type Guard } from '#src/http/route';
import { Credentials, enter, Roles, signUp, statusOf, tokenFor, UnknownRole, type Tutorial } from '#src/dialects/words';
import { deviceOf } from '#src/sessions/device';
import { keepSession } from '#src/sessions/keep';
import { limitRefresh } from '#src/sessions/routes';
import { refreshTokenOf } from '#src/sessions/refresh-tokens';
import { signOut } from '#src/sessions/sign-out';
import type { Source } from '#src/users/tutorial-tables';
import { Email, FreeUsername, Password } from '#src/users/schemas';

const tag = 'Dialect: bezkoder';
export const Said = z.object({ message: z.string() });
export const Refused = Said.extend({ accessToken: z.null().optional() });
const say = (message: string) => ({ message });

export const memberFields = { id: z.uuid(), username: z.string().nullable(), email: z.string().nullable(), roles: z.array(z.string()) };
export const member = ({ id, username, email, roleNames }: User) => ({
  id,
  username,
  email,
  roles: roleNames.map((name) => `ROLE_${name.toUpperCase()}`),
});

/** Sign-up and boards, which the variants of this tutorial share. `who` finds out who asks. */
export const common = (tag: string, who: Guard<{ user: User }>, ...first: Guard[]) => {
  const board = (path: string, guards: Guard[], content: string) =>
    get(`/api/test/${path}`, guards, { tag, summary: content, returns: z.string(), text: 'text/html' }, () => content);
  return [
    get('/', [], { tag, summary: 'Greeting', returns: Said }, () => say('Welcome to Sallyport.')),
    post(
      '/api/auth/signup',
      [...first, requireOpenSignup, limit('sign-up')],
      {
        tag,
        summary: 'Sign up',
        body: z.object({ username: FreeUsername, email: Email, password: Password, roles: Roles }),
        returns: Said,
        status: 201,
      },
      async ({ body: { roles, ...newUser } }) => {
        await signUp(newUser, roles);
        return say('User registered successfully!');
      },
    ),
    board('all', [], 'Public Content.'),
    board('user', [who], 'User Content.'),
    board('mod', [who, requireRole('moderator', 'admin')], 'Moderator Content.'),
    board('admin', [who, requireRole('admin')], 'Admin Content.'),
  ];
};

const words: Partial<Record<ProblemCode, [status: number, message: string]>> = {
  username_taken: [400, 'Failed! Username is already in use!'],
  email_taken: [400, 'Failed! Email is already in use!'],
  invalid_credentials: [401, 'Invalid username or password!'],
  token_missing: [403, 'No token provided!'],
  token_expired: [401, 'Unauthorized! Access Token was expired!'],
  token_invalid: [401, 'Unauthorized!'],
  session_ended: [401, 'Unauthorized!'],
  user_disabled: [401, 'Unauthorized!'],
  // Not a 401: the clients of this tutorial would refresh again, 400 times a second.
  invalid_grant: [403, 'Refresh token was expired. Please make a new signin request'],
};
const byRole: Record<string, string> = { moderator: 'Require Moderator Role!', admin: 'Require Admin Role!' };

function wordsFor(problem: Problem, path: string): [status: number, message: string] {
  const { code, members } = problem;
  if (problem instanceof UnknownRole) return [400, `Failed! Role does not exist = ${problem.role}`];
  if (code === 'invalid_request' && path === '/api/auth/refreshtoken') return [403, 'Refresh Token is required!'];
  if (members.reason === 'unknown') return [403, 'Refresh token is not in database!'];
  return words[code] ?? [statusOf(problem), byRole[members.required?.[0] ?? ''] ?? sentenceOf(problem)];
}
export function refuse(problem: Problem, path: string): Refusal {
  const [status, message] = wordsFor(problem, path);
  return { status, body: { ...(problem.code === 'invalid_credentials' && { accessToken: null }), message } };
}

export const bezkoderTables: Source = {
  number: 1,
  users: 'users',
  columns: ['username', 'email'],
  roles: true,
  person: ({ username, email }) => ({ username, email }),
};

const accessToken = z.string();
const refreshToken = z.string().min(1).max(1024);

export default (): Tutorial => ({
  name: 'bezkoder',
  refusal: { 'application/json': Refused },
  source: bezkoderTables,
  refuse,
  routes: [
    ...common(tag, authenticateBy(inOwnHeader, afterBearer)),
    post(
      '/api/auth/signin',
      [limit('sign-in'), authenticate('local')],
      { tag, summary: 'Sign in', body: Credentials('username'), returns: z.object({ ...memberFields, accessToken, refreshToken }) },
      async (req) => {
        const { session, accessToken } = await enter(req);
        return { ...member(req.user), accessToken, refreshToken: refreshTokenOf(session) };
      },
    ),
    post(
      '/api/auth/refreshtoken',
      [limitRefresh],
      {
        tag,
        summary: 'Refresh',
        description: 'The refresh token stays the same: these clients throw a new one away.',
        body: z.object({ refreshToken }),
        returns: z.object({ accessToken, refreshToken }),
      },
      async (req) => {
        const session = await keepSession(req.body.refreshToken, deviceOf(req));
        return { accessToken: tokenFor(session), refreshToken: refreshTokenOf(session) };
      },
    ),
    post(
      '/api/auth/signout',
      [],
      { tag, summary: 'Sign out', body: z.object({ refreshToken: refreshToken.optional().catch(undefined) }), returns: Said },
      async (req) => {
        const { refreshToken } = req.body;
        for (const accessToken of [inOwnHeader(req), afterBearer(req)]) await signOut({ refreshToken, accessToken }, 'session');
        return say("You've been signed out!");
      },
    ),
  ],
});
