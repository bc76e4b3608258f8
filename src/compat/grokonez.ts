import { z } from 'zod';
import { identify, requireOpenSignup, requireRole } from '#src/authentication/guards';
import { authenticateBy, inOwnHeader, type CompatibilityAdapter } from '#src/compat/adapter';
import {
  Credentials,
  Roles,
  signInFor,
  signUpFor,
  statusOf,
  UnknownRole,
} from '#src/compat/shared';
import { sentencesFor } from '#src/compat/sentences';
import { Id, shownId } from '#src/compat/shown-ids';
import type { Context } from '#src/context';
import type { Refusal } from '#src/platform/http/error-handler';
import type { Problem } from '#src/platform/http/problem';
import { limit } from '#src/platform/http/rate-limit';
import { get, post, type Guard } from '#src/platform/http/route';
import { SIGN_UP } from '#src/registration/limits';
import type { Principal } from '#src/users/principal';
import { Email, FreeUsername, Name, Password } from '#src/users/schemas';

const tag = 'Compatibility: grokonez';
const text = z.string().nullable();
export const rolesOf = (user: Principal) => user.roles.map((name) => name.toUpperCase());

export const SignInInput = Credentials('username').meta({ id: 'GrokonezCredentials' });
const NewUser = z
  .object({ name: Name, username: FreeUsername, email: Email, password: Password, roles: Roles })
  .meta({ id: 'GrokonezNewUser' });
/** Our role for a name that the tutorials spell in any case. */
export const roleFor = (name: string) => name.toLowerCase();
const SignedIn = z
  .object({
    auth: z.literal(true),
    accessToken: z.string(),
    user: z.object({
      id: Id,
      username: text,
      email: text,
      roles: z.array(z.object({ name: z.string() })),
    }),
  })
  .meta({ id: 'GrokonezSignedIn' });
const Board = z
  .object({
    description: z.string(),
    user: z.object({ name: text, username: text, email: text, roles: z.array(z.string()) }),
  })
  .meta({ id: 'GrokonezBoard' });
const RefusedMember = z
  .union([
    z.object({ auth: z.literal(false), message: z.string() }),
    z.object({ auth: z.literal(false), accessToken: z.null(), reason: z.string() }),
  ])
  .meta({ id: 'GrokonezRefusal' });
export const refusal = { 'application/json': RefusedMember, 'text/html': z.string() };

export function refuse(problem: Problem, path: string): Refusal {
  const { code, status } = problem;
  if (problem instanceof UnknownRole)
    return { status: 400, body: `Fail -> Does NOT exist Role = ${problem.role}` };
  if (code === 'username_taken') return { status: 400, body: 'Fail -> Username is already taken!' };
  if (code === 'email_taken') return { status: 400, body: 'Fail -> Email is already in use!' };
  if (code === 'invalid_credentials') {
    const reason = 'Invalid username or password!';
    return { status: 401, body: { auth: false, accessToken: null, reason } };
  }
  if (code === 'token_missing')
    return { status: 403, body: { auth: false, message: 'No token provided.' } };
  if (status === 401) return { status, body: { auth: false, message: 'Fail to Authentication.' } };
  if (code === 'forbidden' && path.startsWith('/api/test/')) {
    const body = path.endsWith('/pm') ? 'Require PM or Admin Roles!' : 'Require Admin Role!';
    return { status, body };
  }
  return { status: statusOf(problem), body: `Fail -> ${sentencesFor(problem)}` };
}

const routes = (ctx: Context) => {
  const authenticated = authenticateBy(ctx, inOwnHeader);
  const board = (path: string, operationId: string, description: string, ...guards: Guard[]) =>
    get(
      `/api/test/${path}`,
      [authenticated, ...guards],
      { operationId, tag, summary: description, returns: Board },
      ({ user }) => {
        const { name, username, email } = user;
        return { description, user: { name, username, email, roles: rolesOf(user) } };
      },
    );
  return [
    post(
      '/api/auth/signup',
      [requireOpenSignup(ctx), limit(ctx, SIGN_UP)],
      {
        operationId: 'grokonezSignUp',
        tag,
        summary: 'Sign up',
        body: NewUser,
        returns: z.string(),
        text: 'text/html',
      },
      async ({ body: { roles, ...newUser } }) => {
        await signUpFor(ctx, newUser, roles, roleFor);
        return 'User registered successfully!';
      },
    ),
    post(
      '/api/auth/signin',
      [identify(ctx, 'local')],
      {
        operationId: 'grokonezSignIn',
        tag,
        summary: 'Sign in',
        body: SignInInput,
        returns: SignedIn,
      },
      async (req) => {
        const { accessToken, user } = await signInFor(ctx, req);
        const { username, email } = user;
        const id = await shownId(ctx, user.id);
        const roles = rolesOf(user).map((name) => ({ name }));
        return { auth: true as const, accessToken, user: { id, username, email, roles } };
      },
    ),
    board('user', 'grokonezUserBoard', 'User Content Page'),
    board('pm', 'grokonezPmBoard', 'Management Board', requireRole('pm', 'admin')),
    board('admin', 'grokonezAdminBoard', 'Admin Board', requireRole('admin')),
  ];
};

export const grokonez = (ctx: Context): CompatibilityAdapter => ({
  name: 'grokonez',
  routes: routes(ctx),
  refuse,
  refusal,
  source: {
    number: 3,
    users: 'users',
    columns: ['name', 'username', 'email'],
    roles: true,
    person: ({ username, email, name }) => ({
      username,
      email,
      name: typeof name === 'string' ? name : null,
    }),
  },
  roles: ['pm'],
});
