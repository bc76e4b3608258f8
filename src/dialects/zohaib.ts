import { z } from 'zod';
import type { User } from '#models/index';
import { sentenceOf, type Problem } from '#src/core/problem';
import { Time } from '#src/core/time';
import { afterScheme, authenticateBy } from '#src/http/dialect';
import { requireOpenSignup } from '#src/http/guards';
import { limit } from '#src/http/limits';
import { authenticate } from '#src/http/passport';
import type { Refusal } from '#src/http/render-problem';
import { get, post } from '#src/http/route';
import { Credentials, enter, signUp, statusOf, type Tutorial } from '#src/dialects/words';
import { findUser } from '#src/users/find';
import { Email, Name, Password } from '#src/users/schemas';

const tag = 'Dialect: zohaib';
const Person = z.object({
  id: z.uuid(),
  first_name: z.string().nullable(),
  last_name: z.string().nullable(),
  email: z.string().nullable(),
  createdAt: Time,
  updatedAt: Time,
});

// We keep one name. A no-break space tells where the first one ends, and looks like any other.
const SEAM = '\u00a0';
const joined = (...names: string[]) => names.map((name) => name.replaceAll(SEAM, ' ')).join(SEAM);
function person({ id, name, email, createdAt, updatedAt }: User): z.input<typeof Person> {
  const at = name?.includes(SEAM) ? name.indexOf(SEAM) : (name?.lastIndexOf(' ') ?? -1);
  const [first_name, last_name] = at < 0 ? [name, null] : [name!.slice(0, at), name!.slice(at + 1)];
  return { id, first_name, last_name, email, createdAt, updatedAt };
}

function refuse(problem: Problem, path: string): Refusal {
  const { code, status } = problem;
  if (code === 'email_taken') return { status: 400, body: { error: 'User already exists' } };
  if (code === 'invalid_credentials') return { status: 401, body: { error: 'Email or password incorrect' } };
  if (status === 401) return { status, body: { msg: 'Couldnt Authenticate' } };
  if (path === '/users/me') return { status, body: { msg: sentenceOf(problem) } };
  return { status: statusOf(problem), body: { error: sentenceOf(problem) } };
}

export default (): Tutorial => ({
  name: 'zohaib',
  refusal: { 'application/json': z.union([z.object({ error: z.string() }), z.object({ msg: z.string() })]) },
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
  refuse,
  routes: [
    post(
      '/users',
      [requireOpenSignup, limit('sign-up')],
      {
        tag,
        summary: 'Sign up',
        body: z
          .object({ first_name: Name.max(50), last_name: Name.max(49), email: Email, password: Password })
          .transform(({ first_name, last_name, ...rest }) => ({ ...rest, name: joined(first_name, last_name) })),
        returns: Person,
        status: 201,
      },
      async (req) => person(await signUp(req.body)),
    ),
    post(
      '/users/login',
      [limit('sign-in'), authenticate('local')],
      { tag, summary: 'Sign in', body: Credentials('email'), returns: z.object({ token: z.string() }) },
      async (req) => ({
        token: (await enter(req)).accessToken,
      }),
    ),
    get('/users/me', [authenticateBy(afterScheme)], { tag, summary: 'The signed-in user', returns: Person }, async (req) =>
      person((await findUser(req.user.id)) ?? req.user),
    ),
  ],
});
