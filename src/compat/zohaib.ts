import { z } from 'zod';
import type { User } from '#models/index';
import { identify, requireOpenSignup } from '#src/authentication/guards';
import { afterScheme, authenticateBy, type CompatibilityAdapter } from '#src/compat/adapter';
import { Credentials, signInFor, signUpFor, statusOf } from '#src/compat/shared';
import { sentencesFor } from '#src/compat/sentences';
import { Id, shownId } from '#src/compat/shown-ids';
import type { Context } from '#src/context';
import type { Refusal } from '#src/platform/http/error-handler';
import { Problem } from '#src/platform/http/problem';
import { limit } from '#src/platform/http/rate-limit';
import { get, post } from '#src/platform/http/route';
import { Time } from '#src/platform/http/time';
import { SIGN_UP } from '#src/registration/limits';
import { findUser } from '#src/users/find';
import { Email, Name, Password } from '#src/users/schemas';

const tag = 'Compatibility: zohaib';

const SignInInput = Credentials('email').meta({ id: 'ZohaibCredentials' });
const NewUser = z
  .object({ first_name: Name.max(50), last_name: Name.max(49), email: Email, password: Password })
  .transform(({ first_name, last_name, ...rest }) => ({
    ...rest,
    name: joined(first_name, last_name),
  }))
  .meta({ id: 'ZohaibNewUser' });
const Person = z
  .object({
    id: Id,
    first_name: z.string().nullable(),
    last_name: z.string().nullable(),
    email: z.string().nullable(),
    createdAt: Time,
    updatedAt: Time,
  })
  .meta({ id: 'ZohaibUser' });
const SignedIn = z.object({ token: z.string() }).meta({ id: 'ZohaibSignedIn' });
const Refused = z
  .union([z.object({ error: z.string() }), z.object({ msg: z.string() })])
  .meta({ id: 'ZohaibRefusal' });

// We store one name. A no-break space marks where the first name ends, and looks like any other space.
const SEPARATOR = '\u00a0';
const joined = (...names: string[]) =>
  names.map((name) => name.replaceAll(SEPARATOR, ' ')).join(SEPARATOR);

async function person(ctx: Context, user: User): Promise<z.input<typeof Person>> {
  const { name, email, createdAt, updatedAt } = user;
  const id = await shownId(ctx, user.id);
  const at = name?.includes(SEPARATOR) ? name.indexOf(SEPARATOR) : (name?.lastIndexOf(' ') ?? -1);
  const [first_name, last_name] = at < 0 ? [name, null] : [name!.slice(0, at), name!.slice(at + 1)];
  return { id, first_name, last_name, email, createdAt, updatedAt };
}

function refuse(problem: Problem, path: string): Refusal {
  const { code, status } = problem;
  if (code === 'email_taken') return { status: 400, body: { error: 'User already exists' } };
  if (code === 'invalid_credentials')
    return { status: 401, body: { error: 'Email or password incorrect' } };
  if (status === 401) return { status, body: { msg: 'Couldnt Authenticate' } };
  if (path === '/users/me') return { status, body: { msg: sentencesFor(problem) } };
  return { status: statusOf(problem), body: { error: sentencesFor(problem) } };
}

const routes = (ctx: Context) => [
  post(
    '/users',
    [requireOpenSignup(ctx), limit(ctx, SIGN_UP)],
    {
      operationId: 'zohaibSignUp',
      tag,
      summary: 'Sign up',
      body: NewUser,
      returns: Person,
      status: 201,
    },
    async (req) => person(ctx, await signUpFor(ctx, req.body)),
  ),
  post(
    '/users/login',
    [identify(ctx, 'local')],
    {
      operationId: 'zohaibSignIn',
      tag,
      summary: 'Sign in',
      body: SignInInput,
      returns: SignedIn,
    },
    async (req) => {
      const { accessToken } = await signInFor(ctx, req);
      return { token: accessToken };
    },
  ),
  get(
    '/users/me',
    [authenticateBy(ctx, afterScheme)],
    { operationId: 'zohaibGetMe', tag, summary: 'The signed-in user', returns: Person },
    async (req) => {
      const user = await findUser(ctx, req.user.id);
      if (!user) throw new Problem('session_ended'); // deleted since the guard
      return person(ctx, user);
    },
  ),
];

export const zohaib = (ctx: Context): CompatibilityAdapter => ({
  name: 'zohaib',
  routes: routes(ctx),
  refuse,
  refusal: { 'application/json': Refused },
  source: {
    number: 0,
    users: 'users',
    columns: ['first_name', 'email'],
    roles: false,
    person: ({ email, first_name, last_name }) => ({
      email,
      name: joined(...[first_name, last_name].filter((name) => typeof name === 'string')),
    }),
  },
});
