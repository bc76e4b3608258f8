import { z } from 'zod';
import type { User } from '#models/index';
import { listUsers } from '#src/admin/list-users';
import { identify, requireOpenSignup, requireRole } from '#src/authentication/guards';
import { afterBearer, authenticateBy, type CompatibilityAdapter } from '#src/compat/adapter';
import { Credentials, signInFor, signUpFor, statusOf } from '#src/compat/shared';
import { sentencesFor } from '#src/compat/sentences';
import { Id, shownIds } from '#src/compat/shown-ids';
import type { Context } from '#src/context';
import type { Refusal } from '#src/platform/http/error-handler';
import type { Problem } from '#src/platform/http/problem';
import { limit } from '#src/platform/http/rate-limit';
import { get, post } from '#src/platform/http/route';
import { Time } from '#src/platform/http/time';
import { SIGN_UP } from '#src/registration/limits';
import { FreeUsername, Password } from '#src/users/schemas';

const tag = 'Compatibility: devckano';
const msg = z.string();

const SignInInput = Credentials('name').meta({ id: 'DevckanoCredentials' });
const NewUser = z
  .object({ name: FreeUsername, password: Password })
  .transform(({ name, password }) => ({ username: name, password }))
  .meta({ id: 'DevckanoNewUser' });
const Person = z
  .object({ id: Id, name: z.string().nullable(), createdAt: Time, updatedAt: Time })
  .meta({ id: 'DevckanoUser' });
const Registered = z.object({ user: Person, msg }).meta({ id: 'DevckanoRegistered' });
const SignedIn = z.object({ msg, token: z.string() }).meta({ id: 'DevckanoSignedIn' });
const Message = z.object({ msg }).meta({ id: 'DevckanoMessage' });
const Refused = z.object({ msg, user: z.null().optional() }).meta({ id: 'DevckanoRefusal' });

async function people(ctx: Context, users: readonly User[]): Promise<z.input<typeof Person>[]> {
  const ids = await shownIds(
    ctx,
    users.map(({ id }) => id),
  );
  return users.flatMap(({ id, username, createdAt, updatedAt }) => {
    const shown = ids.get(id); // none: deleted meanwhile
    return shown === undefined ? [] : [{ id: shown, name: username, createdAt, updatedAt }];
  });
}

/** The list of the tutorial has no pages, so it ends after so many users. */
const MAX_LISTED = 1000;

function refuse(problem: Problem): Refusal {
  const { code, status } = problem;
  if (code === 'username_taken') return { status: 400, body: { msg: 'name is already taken' } };
  if (code === 'invalid_credentials')
    return {
      status: 401,
      body: { msg: 'No such user found or password is incorrect', user: null },
    };
  if (status === 401) return { status, body: 'Unauthorized' };
  return { status: statusOf(problem), body: { msg: sentencesFor(problem) } };
}

const routes = (ctx: Context) => {
  const authenticated = authenticateBy(ctx, afterBearer);
  return [
    post(
      '/register',
      [requireOpenSignup(ctx), limit(ctx, SIGN_UP)],
      {
        operationId: 'devckanoSignUp',
        tag,
        summary: 'Sign up',
        body: NewUser,
        returns: Registered,
      },
      async (req) => {
        const [user] = await people(ctx, [await signUpFor(ctx, req.body)]);
        return { user: user!, msg: 'account created successfully' };
      },
    ),
    post(
      '/login',
      [identify(ctx, 'local')],
      {
        operationId: 'devckanoSignIn',
        tag,
        summary: 'Sign in',
        body: SignInInput,
        returns: SignedIn,
      },
      async (req) => {
        const { accessToken } = await signInFor(ctx, req);
        return { msg: 'ok', token: accessToken };
      },
    ),
    get(
      '/protected',
      [authenticated],
      { operationId: 'devckanoProtected', tag, summary: 'For members', returns: Message },
      () => ({ msg: 'Congrats! You are seeing this because you are authorized' }),
    ),
    get(
      '/users',
      [authenticated, requireRole('admin')],
      { operationId: 'devckanoListUsers', tag, summary: 'List users', returns: z.array(Person) },
      async () => {
        const { data } = await listUsers(ctx, { limit: MAX_LISTED });
        return people(ctx, data);
      },
    ),
  ];
};

export const devckano = (ctx: Context): CompatibilityAdapter => ({
  name: 'devckano',
  routes: routes(ctx),
  refuse,
  refusal: {
    'application/json': Refused,
    'text/html': z.string(),
  },
  source: {
    number: 2,
    users: 'users',
    columns: ['name'],
    roles: false,
    plainPasswords: true,
    person: ({ name }) => ({ username: name }),
  },
});
