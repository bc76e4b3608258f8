import { expect, vi } from 'vitest';
import { password, startApp } from '#test/support/app';
import { HANGS } from '#test/support/client';

export interface Answer {
  status: number;
  type: string;
  headers: Headers;
  text: string;
  // eslint-disable-next-line typescript/no-explicit-any -- a test says itself what it expects in there
  body: any;
}
export interface Question {
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as a form. */
  form?: Record<string, string>;
  /** Sent as it is. */
  raw?: string;
  headers?: Record<string, string>;
}

const DECLARED = new Set([200, 201, 204, 400, 401, 403, 405, 413, 415, 503]);
const LEAKS =
  /\$2[abxy]\$|bcrypt-sha256|passwordHash|password_hash|"password"|canonical|node_modules| at (?:\/|file:)|sequelize|SQLITE_|(?<![\w.-])ER_[A-Z]|SELECT |INSERT |\.sqlite|<[a-z!/]/i;

/** What every answer of every dialect keeps to; the first thing that does not. */
function fault({ status, type, headers, text }: Answer, ms: number, secret: string | undefined): string | undefined {
  const has = (name: string, value: string | null) => headers.get(name) === value;
  const checks: [boolean, string][] = [
    [DECLARED.has(status), 'status'],
    [ms < HANGS, `time: ${Math.round(ms)} ms`],
    [!LEAKS.test(text) && !(secret && text.includes(secret)), 'what it gives away'],
    [status === 204 || /^(application\/json|text\/html); charset=utf-8$/.test(type), 'Content-Type'],
    [has('x-content-type-options', 'nosniff'), 'X-Content-Type-Options'],
    [has('strict-transport-security', 'max-age=31536000; includeSubDomains'), 'Strict-Transport-Security'],
    [status === 204 || /default-src 'none'.*frame-ancestors 'none'/.test(headers.get('content-security-policy') ?? ''), 'CSP'],
    [has('x-powered-by', null) && has('etag', null), 'X-Powered-By or ETag'],
    [/^[A-Za-z0-9-]{1,64}$/.test(headers.get('x-request-id') ?? ''), 'X-Request-Id'],
    [has('cache-control', 'no-store'), 'Cache-Control'],
    [status !== 401 || headers.has('www-authenticate'), 'WWW-Authenticate'],
    [status !== 405 || headers.has('allow'), 'Allow'],
    [status !== 503 || Number(headers.get('retry-after')) > 0, 'Retry-After'],
  ];
  return checks.find(([good]) => !good)?.[1];
}

/** Asks a server in the words of a tutorial's front end. */
export const speakTo =
  (url: string) =>
  async (method: string, path: string, { json, form, raw, headers = {} }: Question = {}): Promise<Answer> => {
    const start = performance.now();
    const body = json === undefined ? (raw ?? (form && new URLSearchParams(form).toString())) : JSON.stringify(json);
    const kind = form ? 'application/x-www-form-urlencoded' : json === undefined ? undefined : 'application/json';
    const sent = { ...(kind && { 'content-type': kind }), ...headers };
    const response = await fetch(url + path, { method, redirect: 'manual', headers: sent, ...(body !== undefined && { body }) });
    const text = await response.text();
    const type = response.headers.get('content-type') ?? '';
    const answer = {
      status: response.status,
      type,
      headers: response.headers,
      text,
      body: type.includes('json') ? JSON.parse(text) : text,
    };
    const { password: secret } = (json ?? form ?? {}) as { password?: unknown };
    const long = typeof secret === 'string' && secret.length > 7 ? secret : undefined;
    const wrong = fault(answer, performance.now() - start, long);
    if (wrong)
      expect.fail(`${method} ${path} answered ${answer.status} with the wrong ${wrong}: ${JSON.stringify([...answer.headers])} ${text}`);
    return answer;
  };

/** The answer, which has to be this, to the letter: an object as JSON, a text as text. */
export async function expectSaid(asked: Promise<Answer>, status: number, body: unknown): Promise<Answer> {
  const answer = await asked;
  const type = typeof body === 'string' ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8';
  expect({ status: answer.status, type: answer.type, body: answer.body }).toEqual({ status, type, body });
  return answer;
}

/** What another one in the same file may have set; an empty value counts as none. */
const UNSET = { HOST: '', SIGNUP: '', SIGNUP_ROLES: '', DIALECT_ACCESS_TOKEN_TTL: '', ALLOWED_ORIGINS: '', PUBLIC_URL: '' };

type Where = { username: string } | { email: string };

/** The server with these dialects. More than one may run in a file: each has settings, modules and database of its own. */
export async function startDialects(DIALECTS: string, env: Record<string, string> = {}) {
  vi.resetModules();
  const app = await startApp({ ...UNSET, DIALECTS, ...env });
  const { grantRole } = await import('#src/access/roles');
  const { disableUser } = await import('#src/users/disable');
  const find = (where: Where) => app.User.findOne({ where, rejectOnEmpty: true });
  const grant = async (where: Where, name: string) => {
    await grantRole(await find(where), (await app.Role.findOne({ where: { name } }))!);
  };
  return { ...app, say: speakTo(app.url), find, grant, disableUser };
}
export type DialectApp = Awaited<ReturnType<typeof startDialects>>;

/** A server for each dialect, by its name; those that can be on together share one. */
export async function startEach(env: Record<string, string> = {}): Promise<Record<string, DialectApp>> {
  const most = await startDialects('bezkoder,zohaib,devckano', env);
  return {
    bezkoder: most,
    'bezkoder-cookies': await startDialects('bezkoder-cookies', env),
    grokonez: await startDialects('grokonez', env),
    zohaib: most,
    devckano: most,
  };
}

/** How to get along in a dialect. */
export interface Tongue {
  name: string;
  /** Where one signs up and in, and where only members are let in. */
  signUp: string;
  signIn: string;
  guarded: string;
  /** What it calls the identifier; and who that is. */
  field: 'username' | 'email' | 'name';
  who: (name: string) => string;
  /** A good sign-up. */
  newcomer: (name: string) => Record<string, string>;
  welcome: number;
  taken: unknown;
  wrong: unknown;
  /** What somebody without a token hears, and with one that is not good. */
  stranger: [status: number, body: unknown];
  refused: unknown;
  /** Any other refusal. */
  complaint: (sentence: unknown) => unknown;
  /** What sign-in handed out, and how it is shown. */
  held: (signedIn: Answer) => string;
  shown: (token: string) => Record<string, string>;
  takesRoles: boolean;
}

const address = (name: string) => `${name}@example.com`;
const plain = (name: string) => name;
const boards = {
  signUp: '/api/auth/signup',
  signIn: '/api/auth/signin',
  guarded: '/api/test/user',
  field: 'username',
  who: plain,
} as const;
const message = (sentence: unknown) => ({ message: sentence });

const bezkoder: Tongue = {
  ...boards,
  name: 'bezkoder',
  newcomer: (name) => ({ username: name, email: address(name), password }),
  welcome: 201,
  taken: message('Failed! Username is already in use!'),
  wrong: { accessToken: null, message: 'Invalid username or password!' },
  stranger: [403, message('No token provided!')],
  refused: message('Unauthorized!'),
  complaint: message,
  held: ({ body }) => body.accessToken,
  shown: (token) => ({ 'x-access-token': token }),
  takesRoles: true,
};

export const COOKIE = 'bezkoder-session';
/** The cookie of an answer, by name and attribute. */
export const cookieOf = ({ headers }: Answer): Record<string, string> =>
  Object.fromEntries((headers.getSetCookie()[0] ?? '').split('; ').map((part) => [part.split('=')[0], part.slice(part.indexOf('=') + 1)]));

export const tongues: readonly Tongue[] = [
  bezkoder,
  {
    ...bezkoder,
    name: 'bezkoder-cookies',
    held: (answer) => cookieOf(answer)[COOKIE]!,
    shown: (token) => ({ cookie: `${COOKIE}=${token}` }),
  },
  {
    ...boards,
    name: 'grokonez',
    newcomer: (name) => ({ name: `The ${name}`, username: name, email: address(name), password }),
    welcome: 200,
    taken: 'Fail -> Username is already taken!',
    wrong: { auth: false, accessToken: null, reason: 'Invalid username or password!' },
    stranger: [403, { auth: false, message: 'No token provided.' }],
    refused: { auth: false, message: 'Fail to Authentication.' },
    complaint: (sentence) => `Fail -> ${String(sentence)}`,
    held: ({ body }) => body.accessToken,
    shown: (token) => ({ 'x-access-token': token }),
    takesRoles: true,
  },
  {
    name: 'zohaib',
    signUp: '/users',
    signIn: '/users/login',
    guarded: '/users/me',
    field: 'email',
    who: address,
    newcomer: (name) => ({ first_name: 'The', last_name: name, email: address(name), password }),
    welcome: 201,
    taken: { error: 'User already exists' },
    wrong: { error: 'Email or password incorrect' },
    stranger: [401, { msg: 'Couldnt Authenticate' }],
    refused: { msg: 'Couldnt Authenticate' },
    complaint: (error) => ({ error }),
    held: ({ body }) => body.token,
    shown: (token) => ({ authorization: `JWT ${token}` }),
    takesRoles: false,
  },
  {
    name: 'devckano',
    signUp: '/register',
    signIn: '/login',
    guarded: '/protected',
    field: 'name',
    who: plain,
    newcomer: (name) => ({ name, password }),
    welcome: 200,
    taken: { msg: 'name is already taken' },
    wrong: { msg: 'No such user found or password is incorrect', user: null },
    stranger: [401, 'Unauthorized'],
    refused: 'Unauthorized',
    complaint: (msg) => ({ msg }),
    held: ({ body }) => body.token,
    shown: (token) => ({ authorization: `Bearer ${token}` }),
    takesRoles: false,
  },
];

/** Somebody who signed up and in, the way a front end of this tutorial does it. */
export async function member({ say }: Pick<DialectApp, 'say'>, tongue: Tongue, name: string) {
  const fields = tongue.newcomer(name);
  const { status, text } = await say('POST', tongue.signUp, { json: fields });
  expect(status, text).toBe(tongue.welcome);
  const entered = await enter({ say }, tongue, name);
  return { ...entered, fields };
}
export async function enter({ say }: Pick<DialectApp, 'say'>, tongue: Tongue, name: string) {
  const signedIn = await say('POST', tongue.signIn, { json: { [tongue.field]: tongue.who(name), password } });
  expect(signedIn.status, signedIn.text).toBe(200);
  const token = tongue.held(signedIn);
  const where: Where = tongue.field === 'email' ? { email: address(name) } : { username: name };
  return { signedIn, token, headers: tongue.shown(token), where };
}
