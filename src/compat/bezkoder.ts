import { z } from 'zod';
import { identify, requireOpenSignup, requireRole } from '#src/authentication/guards';
import {
  afterBearer,
  authenticateBy,
  inOwnHeader,
  type CompatibilityAdapter,
} from '#src/compat/adapter';
import { refuse, Refused } from '#src/compat/bezkoder-refusals';
import { Credentials, refreshFor, Roles, signInFor, signUpFor } from '#src/compat/shared';
import { Id, shownId } from '#src/compat/shown-ids';
import type { Context } from '#src/context';
import type { TutorialSource } from '#src/import-export/tutorial-tables';
import { limit } from '#src/platform/http/rate-limit';
import { get, post, type Guard, type Tag } from '#src/platform/http/route';
import { SIGN_UP } from '#src/registration/limits';
import { limitRefresh } from '#src/sessions/routes';
import { signOut } from '#src/sessions/sign-out';
import type { Principal } from '#src/users/principal';
import { Email, FreeUsername, Password } from '#src/users/schemas';

const tag = 'Compatibility: bezkoder';
export const Message = z.object({ message: z.string() }).meta({ id: 'BezkoderMessage' });
const say = (message: string) => ({ message });

export const SignInInput = Credentials('username').meta({ id: 'BezkoderCredentials' });
const NewUser = z
  .object({ username: FreeUsername, email: Email, password: Password, roles: Roles })
  .meta({ id: 'BezkoderNewUser' });

const text = z.string().nullable();
export const memberFields = {
  id: Id,
  username: text,
  email: text,
  roles: z.array(z.string()),
};
export const member = async (ctx: Context, { id, username, email, roles }: Principal) => ({
  id: await shownId(ctx, id),
  username,
  email,
  roles: roles.map((name) => `ROLE_${name.toUpperCase()}`),
});

interface Variant {
  /** Begins each operationId. */
  name: string;
  tag: Tag;
  authenticated: Guard<{ user: Principal }>;
  /** Guards of sign-up that run first. */
  guards?: readonly Guard[];
}

/** Sign-up and boards, which the variants of this tutorial share. */
export const commonRoutes = (ctx: Context, { name, tag, authenticated, guards = [] }: Variant) => {
  const board = (path: string, boardGuards: Guard[], content: string) =>
    get(
      `/api/test/${path}`,
      boardGuards,
      {
        operationId: `${name}${path[0]!.toUpperCase()}${path.slice(1)}Board`,
        tag,
        summary: content,
        returns: z.string(),
        text: 'text/html',
      },
      () => content,
    );
  return [
    get(
      '/',
      [],
      { operationId: `${name}Greeting`, tag, summary: 'Greeting', returns: Message },
      () => say('Welcome to Sallyport.'),
    ),
    post(
      '/api/auth/signup',
      [...guards, requireOpenSignup(ctx), limit(ctx, SIGN_UP)],
      {
        operationId: `${name}SignUp`,
        tag,
        summary: 'Sign up',
        body: NewUser,
        returns: Message,
        status: 201,
      },
      async ({ body: { roles, ...newUser } }) => {
        await signUpFor(ctx, newUser, roles);
        return say('User registered successfully!');
      },
    ),
    board('all', [], 'Public Content.'),
    board('user', [authenticated], 'User Content.'),
    board('mod', [authenticated, requireRole('moderator', 'admin')], 'Moderator Content.'),
    board('admin', [authenticated, requireRole('admin')], 'Admin Content.'),
  ];
};

export const bezkoderSource: TutorialSource = {
  number: 1,
  users: 'users',
  columns: ['username', 'email'],
  roles: true,
  person: ({ username, email }) => ({ username, email }),
};

const accessToken = z.string();
const refreshToken = z.string().min(1).max(1024);
const SignedIn = z
  .object({ ...memberFields, accessToken, refreshToken })
  .meta({ id: 'BezkoderSignedIn' });
const RefreshInput = z.object({ refreshToken }).meta({ id: 'BezkoderRefreshInput' });
const Refreshed = z.object({ accessToken, refreshToken }).meta({ id: 'BezkoderRefreshed' });
const SignOutInput = z
  .object({ refreshToken: refreshToken.optional().catch(undefined) })
  .meta({ id: 'BezkoderSignOutInput' });

const routes = (ctx: Context) => [
  ...commonRoutes(ctx, {
    name: 'bezkoder',
    tag,
    authenticated: authenticateBy(ctx, inOwnHeader, afterBearer),
  }),
  post(
    '/api/auth/signin',
    [identify(ctx, 'local')],
    {
      operationId: 'bezkoderSignIn',
      tag,
      summary: 'Sign in',
      body: SignInInput,
      returns: SignedIn,
    },
    async (req) => {
      const { accessToken, user, tokens } = await signInFor(ctx, req);
      return { ...(await member(ctx, user)), accessToken, refreshToken: tokens.refreshToken };
    },
  ),
  post(
    '/api/auth/refreshtoken',
    [limitRefresh(ctx)],
    {
      operationId: 'bezkoderRefresh',
      tag,
      summary: 'Refresh',
      description: 'The refresh token stays the same: these clients ignore a new one.',
      body: RefreshInput,
      returns: Refreshed,
    },
    (req) => refreshFor(ctx, req, req.body.refreshToken),
  ),
  post(
    '/api/auth/signout',
    [],
    {
      operationId: 'bezkoderSignOut',
      tag,
      summary: 'Sign out',
      body: SignOutInput,
      returns: Message,
    },
    async (req) => {
      const { refreshToken } = req.body;
      for (const accessToken of [inOwnHeader(req), afterBearer(req)])
        await signOut(ctx, { refreshToken, accessToken }, 'session');
      return say("You've been signed out!");
    },
  ),
];

export const bezkoder = (ctx: Context): CompatibilityAdapter => ({
  name: 'bezkoder',
  routes: routes(ctx),
  refuse,
  refusal: { 'application/json': Refused },
  source: bezkoderSource,
});
