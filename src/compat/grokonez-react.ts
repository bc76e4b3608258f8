import { z } from 'zod';
import { identify, requireOpenSignup, requireRole } from '#src/authentication/guards';
import { SIGN_IN } from '#src/authentication/limits';
import { authenticateBy, inOwnHeader, type CompatibilityAdapter } from '#src/compat/adapter';
import { refusal, refuse, roleFor, rolesOf, SignInInput } from '#src/compat/grokonez';
import { joinNames, plainIn, Roles, signInFor, signUpFor } from '#src/compat/shared';
import { Id, shownId } from '#src/compat/shown-ids';
import type { Context } from '#src/context';
import { limit } from '#src/platform/http/rate-limit';
import { get, post, type Guard } from '#src/platform/http/route';
import { SIGN_UP } from '#src/registration/limits';
import type { Principal } from '#src/users/principal';
import { Email, FreeUsername, Name, Password } from '#src/users/schemas';

const tag = 'Compatibility: grokonez-react';
const text = z.string().nullable();

const NewUser = z
  .object({
    firstname: Name.max(50),
    lastname: Name.max(49),
    username: FreeUsername,
    email: Email,
    password: Password,
    roles: Roles,
  })
  .meta({ id: 'GrokonezReactNewUser' });
const SignedIn = z
  .object({
    auth: z.literal(true),
    accessToken: z.string(),
    user: z.object({
      id: Id,
      username: text,
      email: text,
      roles: z.array(z.object({ id: z.int(), name: z.string() })),
    }),
  })
  .meta({ id: 'GrokonezReactSignedIn' });

/** The roles of the tutorial, by the ids that its server gave them. */
const TUTORIAL_ROLES = ['USER', 'ADMIN', 'PM'];
/** Other roles have an id that is unique in this answer. */
function numberedRoles(user: Principal) {
  const names = rolesOf(user);
  const all = [...TUTORIAL_ROLES, ...names.filter((name) => !TUTORIAL_ROLES.includes(name))];
  return names.map((name) => ({ id: all.indexOf(name) + 1, name }));
}

const routes = (ctx: Context) => {
  const authenticated = authenticateBy(ctx, inOwnHeader);
  const board = (path: string, operationId: string, content: string, ...guards: Guard[]) =>
    get(
      `/api/test/${path}`,
      [authenticated, ...guards],
      { operationId, tag, summary: content, returns: z.string(), text: 'text/html' },
      () => content,
    );
  return [
    post(
      '/api/auth/signup',
      [requireOpenSignup(ctx), limit(ctx, SIGN_UP)],
      {
        operationId: 'grokonezReactSignUp',
        tag,
        summary: 'Sign up',
        body: NewUser,
        returns: z.string(),
        text: 'text/html',
      },
      async ({ body: { firstname, lastname, roles, ...newUser } }) => {
        const name = joinNames(firstname, lastname);
        await signUpFor(ctx, { ...newUser, name }, roles, roleFor);
        return `User ${plainIn(firstname)} is registered successfully!`;
      },
    ),
    post(
      '/api/auth/signin',
      [limit(ctx, SIGN_IN), identify(ctx, 'local')],
      {
        operationId: 'grokonezReactSignIn',
        tag,
        summary: 'Sign in',
        body: SignInInput,
        returns: SignedIn,
      },
      async (req) => {
        const { accessToken, user } = await signInFor(ctx, req);
        const { username, email } = user;
        const id = await shownId(ctx, user.id);
        const roles = numberedRoles(user);
        return { auth: true as const, user: { id, username, email, roles }, accessToken };
      },
    ),
    board('user', 'grokonezReactUserBoard', '>>> User Contents!'),
    board('pm', 'grokonezReactPmBoard', '>>> PM Contents!', requireRole('pm', 'admin')),
    board('admin', 'grokonezReactAdminBoard', '>>> Admin Contents!', requireRole('admin')),
  ];
};

/** The variant of `grokonez` for a React front end: first and last name, and boards of text. */
export const grokonezReact = (ctx: Context): CompatibilityAdapter => ({
  name: 'grokonez-react',
  routes: routes(ctx),
  refuse,
  refusal,
  source: {
    number: 4,
    users: 'users',
    columns: ['firstname', 'username', 'email'],
    roles: true,
    person: ({ username, email, firstname, lastname }) => ({
      username,
      email,
      name: joinNames(firstname, lastname),
    }),
  },
  roles: ['pm'],
});
