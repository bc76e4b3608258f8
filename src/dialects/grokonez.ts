import { z } from 'zod';
import type { User } from '#models/index';
import { sentenceOf, type Problem } from '#src/core/problem';
import { authenticateBy, inOwnHeader } from '#src/http/dialect';
import { requireOpenSignup, requireRole } from '#src/http/guards';
import { limit } from '#src/http/limits';
import { authenticate } from '#src/http/passport';
import type { Refusal } from '#src/http/render-problem';
import { get, post, type Guard } from '#src/http/route';
import { Credentials, enter, Roles, signUp, statusOf, UnknownRole, type Tutorial } from '#src/dialects/words';
import { Email, FreeUsername, Name, Password } from '#src/users/schemas';

const tag = 'Dialect: grokonez';
const who = authenticateBy(inOwnHeader);
const text = z.string().nullable();
const rolesOf = (user: User) => user.roleNames.map((name) => name.toUpperCase());

const board = (path: string, description: string, ...guards: Guard[]) =>
  get(
    `/api/test/${path}`,
    [who, ...guards],
    {
      tag,
      summary: description,
      returns: z.object({
        description: z.string(),
        user: z.object({ name: text, username: text, email: text, roles: z.array(z.string()) }),
      }),
    },
    ({ user }) => ({ description, user: { name: user.name, username: user.username, email: user.email, roles: rolesOf(user) } }),
  );

function refuse(problem: Problem, path: string): Refusal {
  const { code, status } = problem;
  if (problem instanceof UnknownRole) return { status: 400, body: `Fail -> Does NOT exist Role = ${problem.role}` };
  if (code === 'username_taken') return { status: 400, body: 'Fail -> Username is already taken!' };
  if (code === 'email_taken') return { status: 400, body: 'Fail -> Email is already in use!' };
  if (code === 'invalid_credentials')
    return { status: 401, body: { auth: false, accessToken: null, reason: 'Invalid username or password!' } };
  if (code === 'token_missing') return { status: 403, body: { auth: false, message: 'No token provided.' } };
  if (status === 401) return { status, body: { auth: false, message: 'Fail to Authentication.' } };
  if (code === 'forbidden' && path.startsWith('/api/test/'))
    return { status, body: path.endsWith('/pm') ? 'Require PM or Admin Roles!' : 'Require Admin Role!' };
  return { status: statusOf(problem), body: `Fail -> ${sentenceOf(problem)}` };
}

export default (): Tutorial => ({
  name: 'grokonez',
  refusal: {
    'application/json': z.union([
      z.object({ auth: z.literal(false), message: z.string() }),
      z.object({ auth: z.literal(false), accessToken: z.null(), reason: z.string() }),
    ]),
    'text/html': z.string(),
  },
  source: {
    number: 3,
    users: 'users',
    columns: ['name', 'username', 'email'],
    roles: true,
    person: ({ username, email, name }) => ({ username, email, name: typeof name === 'string' ? name : null }),
  },
  roles: ['pm'],
  refuse,
  routes: [
    post(
      '/api/auth/signup',
      [requireOpenSignup, limit('sign-up')],
      {
        tag,
        summary: 'Sign up',
        body: z.object({ name: Name, username: FreeUsername, email: Email, password: Password, roles: Roles }),
        returns: z.string(),
        text: 'text/html',
      },
      async ({ body: { roles, ...newUser } }) => {
        await signUp(newUser, roles, (role) => role.toLowerCase());
        return 'User registered successfully!';
      },
    ),
    post(
      '/api/auth/signin',
      [limit('sign-in'), authenticate('local')],
      {
        tag,
        summary: 'Sign in',
        body: Credentials('username'),
        returns: z.object({
          auth: z.literal(true),
          accessToken: z.string(),
          user: z.object({ id: z.uuid(), username: text, email: text, roles: z.array(z.object({ name: z.string() })) }),
        }),
      },
      async (req) => {
        const { accessToken } = await enter(req);
        const { id, username, email } = req.user;
        return {
          auth: true as const,
          accessToken,
          user: { id, username, email, roles: rolesOf(req.user).map((name) => ({ name })) },
        };
      },
    ),
    board('user', 'User Content Page'),
    board('pm', 'Management Board', requireRole('pm', 'admin')),
    board('admin', 'Admin Board', requireRole('admin')),
  ],
});
