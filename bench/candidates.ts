import { randomBytes } from 'node:crypto';
import type { Answer, Ask } from '#client';
import { password, type Person } from '#people';

/** The same for everybody who hashes, and cheap: servers are compared, not hashes. */
export const BCRYPT_COST = 4;

/** What a client holds after it signed in. */
export interface Session {
  access: string;
  refresh: string;
}

/** How a candidate is asked. What is missing it has not. */
export interface Api {
  /** The questions by which somebody new gets a session; the answer to the last one has it. */
  enter: (person: Person) => Ask[];
  register?: (person: Person) => Ask;
  login?: (person: Person) => Ask;
  refresh?: (session: Session) => Ask;
  session: (answer: Answer) => Session;
  roles: boolean;
}
export interface Candidate {
  name: string;
  /** The program of its own, below bench/. */
  file: string;
  /** Another program that has the route for a role. */
  roleFile?: string;
  database?: 'sqlite' | 'mysql';
  env: Record<string, string>;
  api: Api;
}

const post = (path: string, body: object): Ask => ({ method: 'POST', path, body });
const tokens = ({ body }: Answer): Session => {
  const { accessToken, refreshToken = '' } = JSON.parse(body) as Record<string, string>;
  return { access: accessToken!, refresh: refreshToken };
};

const open: Api = {
  enter: () => [],
  session: () => ({ access: 'none', refresh: '' }),
  roles: true, // it has the route, and asks nobody: the floor
};
const signed: Api = {
  enter: () => [{ method: 'GET', path: '/token' }],
  session: tokens,
  roles: false,
};
const signUp = (person: Person) => post('/api/auth/signup', { ...person, password });
const signIn = ({ username }: Person) => post('/api/auth/signin', { username, password });
const tutorial: Api = {
  enter: (person) => [signUp(person), signIn(person)],
  register: signUp,
  login: signIn,
  refresh: ({ refresh }) => post('/api/auth/refreshtoken', { refreshToken: refresh }),
  session: tokens,
  roles: true,
};
const signUpByEmail = (person: Person) => post('/api/auth/sign-up/email', { ...person, password });
const betterAuth: Api = {
  enter: (person) => [signUpByEmail(person)],
  register: signUpByEmail,
  login: ({ username }) => post('/api/auth/sign-in/username', { username, password }),
  session: ({ head }) => ({
    access: /\r\nset-auth-token: *(\S+)/i.exec(head)![1]!,
    refresh: '',
  }),
  roles: true,
};
const register = (person: Person) => post('/auth/register', { ...person, password });
const sallyport: Api = {
  enter: (person) => [register(person)],
  register,
  login: ({ username }) => post('/auth/login', { identifier: username, password }),
  refresh: ({ refresh }) => post('/auth/refresh', { refreshToken: refresh }),
  session: tokens,
  roles: true,
};

const secret = () => randomBytes(32).toString('base64url');
const hashing = { BCRYPT_COST: String(BCRYPT_COST) };
/** Without limits: one address asks more in a second than they allow in a minute. */
const server = {
  file: '../dist/src/server.js',
  roleFile: 'candidates/embedded.ts',
  api: sallyport,
  env: { ...hashing, APP_SECRET: secret(), LIMITS: 'off', DIALECTS: 'none' },
};
const peer = {
  file: 'candidates/better-auth.ts',
  api: betterAuth,
  env: { ...hashing, APP_SECRET: secret() },
};

export const BARE = 'bare Express';
export const TUTORIAL = 'tutorial-shaped, MariaDB';
export const BETTER_AUTH = { sqlite: 'better-auth, SQLite', mysql: 'better-auth, MariaDB' };
export const SALLYPORT = {
  sqlite: 'Sallyport, SQLite',
  mysql: 'Sallyport, MariaDB',
  cached: 'Sallyport, MariaDB, SESSION_CACHE_TTL=5',
};
export const candidates: readonly Candidate[] = [
  { name: BARE, file: 'candidates/bare.ts', env: {}, api: open },
  { name: 'Express without ETag', file: 'candidates/bare.ts', env: { ETAG: 'off' }, api: open },
  { name: 'Fastify + @fastify/jwt', file: 'candidates/fastify.ts', env: {}, api: signed },
  {
    name: TUTORIAL,
    file: 'candidates/tutorial.ts',
    database: 'mysql',
    env: hashing,
    api: tutorial,
  },
  { name: BETTER_AUTH.sqlite, database: 'sqlite', ...peer },
  { name: BETTER_AUTH.mysql, database: 'mysql', ...peer },
  { name: SALLYPORT.sqlite, database: 'sqlite', ...server },
  { name: SALLYPORT.mysql, database: 'mysql', ...server },
  {
    name: SALLYPORT.cached,
    database: 'mysql',
    ...server,
    env: { ...server.env, SESSION_CACHE_TTL: '5' },
  },
];
