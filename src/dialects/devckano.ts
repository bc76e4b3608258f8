import { z } from 'zod';
import type { User } from '#models/index';
import { listUsers } from '#src/admin/list-users';
import { sentenceOf, type Problem } from '#src/core/problem';
import { Time } from '#src/core/time';
import { afterBearer, authenticateBy } from '#src/http/dialect';
import { requireOpenSignup, requireRole } from '#src/http/guards';
import { limit } from '#src/http/limits';
import { authenticate } from '#src/http/passport';
import type { Refusal } from '#src/http/render-problem';
import { get, post } from '#src/http/route';
import { Credentials, enter, signUp, statusOf, type Tutorial } from '#src/dialects/words';
import { FreeUsername, Password } from '#src/users/schemas';

const tag = 'Dialect: devckano';
const who = authenticateBy(afterBearer);
const msg = z.string();
const Person = z.object({ id: z.uuid(), name: z.string().nullable(), createdAt: Time, updatedAt: Time });
const person = ({ id, username, createdAt, updatedAt }: User) => ({ id, name: username, createdAt, updatedAt });

/** Of all users, the first so many: the tutorial's list has no pages. */
const LISTED = 1000;

function refuse(problem: Problem): Refusal {
  const { code, status } = problem;
  if (code === 'username_taken') return { status: 400, body: { msg: 'name is already taken' } };
  if (code === 'invalid_credentials') return { status: 401, body: { msg: 'No such user found or password is incorrect', user: null } };
  if (status === 401) return { status, body: 'Unauthorized' };
  return { status: statusOf(problem), body: { msg: sentenceOf(problem) } };
}

export default (): Tutorial => ({
  name: 'devckano',
  refusal: { 'application/json': z.object({ msg, user: z.null().optional() }), 'text/html': z.string() },
  source: { number: 2, users: 'users', columns: ['name'], roles: false, plain: true, person: ({ name }) => ({ username: name }) },
  refuse,
  routes: [
    post(
      '/register',
      [requireOpenSignup, limit('sign-up')],
      {
        tag,
        summary: 'Sign up',
        body: z.object({ name: FreeUsername, password: Password }).transform(({ name, password }) => ({ username: name, password })),
        returns: z.object({ user: Person, msg }),
      },
      async (req) => ({ user: person(await signUp(req.body)), msg: 'account created successfully' }),
    ),
    post(
      '/login',
      [limit('sign-in'), authenticate('local')],
      { tag, summary: 'Sign in', body: Credentials('name'), returns: z.object({ msg, token: z.string() }) },
      async (req) => ({
        msg: 'ok',
        token: (await enter(req)).accessToken,
      }),
    ),
    get('/protected', [who], { tag, summary: 'For members', returns: z.object({ msg }) }, () => ({
      msg: 'Congrats! You are seeing this because you are authorized',
    })),
    get('/users', [who, requireRole('admin')], { tag, summary: 'List users', returns: z.array(Person) }, async () =>
      (await listUsers({ limit: LISTED })).data.map(person),
    ),
  ],
});
