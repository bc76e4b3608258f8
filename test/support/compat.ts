import { expect } from 'vitest';
import { grantRole } from '#src/access/roles';
import { password, startApp } from '#test/support/app';
import { HANGS } from '#test/support/client';

export interface Answer {
  status: number;
  type: string;
  headers: Headers;
  text: string;
  // eslint-disable-next-line typescript/no-explicit-any -- each test knows what it expects
  body: any;
}
export interface Question {
  /** Sent as JSON. */
  json?: unknown;
  /** Sent as a form. */
  form?: Record<string, string>;
  /** Sent unchanged. */
  raw?: string;
  headers?: Record<string, string>;
}

const DECLARED = new Set([200, 201, 204, 400, 401, 403, 405, 413, 415, 503]);
const LEAKS =
  /\$2[abxy]\$|bcrypt-sha256|passwordHash|password_hash|"password"|canonical|node_modules| at (?:\/|file:)|sequelize|SQLITE_|(?-i:\bER_[A-Z_]{5})|SELECT |INSERT |\.sqlite|<[a-z!/]/i;

/** Checks what every answer of every adapter must have. Answers the first check that fails. */
function fault(
  { status, type, headers, text }: Answer,
  ms: number,
  secret: string | undefined,
): string | undefined {
  const has = (name: string, value: string | null) => headers.get(name) === value;
  const checks: [boolean, string][] = [
    [DECLARED.has(status), 'status'],
    [ms < HANGS, `time: ${Math.round(ms)} ms`],
    [!LEAKS.test(text) && !(secret && text.includes(secret)), 'what it gives away'],
    [
      status === 204 || /^(application\/json|text\/html); charset=utf-8$/.test(type),
      'Content-Type',
    ],
    [has('x-content-type-options', 'nosniff'), 'X-Content-Type-Options'],
    [
      has('strict-transport-security', 'max-age=31536000; includeSubDomains'),
      'Strict-Transport-Security',
    ],
    [
      status === 204 ||
        /default-src 'none'.*frame-ancestors 'none'/.test(
          headers.get('content-security-policy') ?? '',
        ),
      'CSP',
    ],
    [has('x-powered-by', null) && has('etag', null), 'X-Powered-By or ETag'],
    [/^[A-Za-z0-9-]{1,64}$/.test(headers.get('x-request-id') ?? ''), 'X-Request-Id'],
    [has('cache-control', 'no-store'), 'Cache-Control'],
    [status !== 401 || headers.has('www-authenticate'), 'WWW-Authenticate'],
    [status !== 405 || headers.has('allow'), 'Allow'],
    [status !== 503 || Number(headers.get('retry-after')) > 0, 'Retry-After'],
  ];
  return checks.find(([good]) => !good)?.[1];
}

/** Sends requests as the front end of a tutorial does. */
export const speakTo =
  (url: string) =>
  async (
    method: string,
    path: string,
    { json, form, raw, headers = {} }: Question = {},
  ): Promise<Answer> => {
    const start = performance.now();
    const body =
      json === undefined
        ? (raw ?? (form && new URLSearchParams(form).toString()))
        : JSON.stringify(json);
    const kind = form
      ? 'application/x-www-form-urlencoded'
      : json === undefined
        ? undefined
        : 'application/json';
    const sent = { ...(kind && { 'content-type': kind }), ...headers };
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: sent,
      ...(body !== undefined && { body }),
    });
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
      expect.fail(
        `${method} ${path} answered ${answer.status} with the wrong ${wrong}: ${JSON.stringify([...answer.headers])} ${text}`,
      );
    return answer;
  };

/** Expects exactly this answer: an object as JSON, a string as text. */
export async function expectSaid(
  asked: Promise<Answer>,
  status: number,
  body: unknown,
): Promise<Answer> {
  const answer = await asked;
  const type =
    typeof body === 'string' ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8';
  expect({ status: answer.status, type: answer.type, body: answer.body }).toEqual({
    status,
    type,
    body,
  });
  return answer;
}

type Where = { username: string } | { email: string };

/** The server with these adapters. A file may start several. */
export async function startAdapters(DIALECTS: string, env: Record<string, string> = {}) {
  const app = await startApp({ DIALECTS, ...env });
  const find = (where: Where) => app.User.findOne({ where, rejectOnEmpty: true });
  const grant = async (where: Where, name: string) => {
    const role = await app.Role.findOne({ where: { name }, rejectOnEmpty: true });
    await grantRole(app.ctx, await find(where), role);
  };
  return { ...app, say: speakTo(app.url), find, grant };
}
export type AdapterApp = Awaited<ReturnType<typeof startAdapters>>;

/** A server for each adapter, by its name. Adapters that can be on together share one. */
export async function startEach(
  env: Record<string, string> = {},
): Promise<Record<string, AdapterApp>> {
  const most = await startAdapters('bezkoder,zohaib,devckano', env);
  return {
    bezkoder: most,
    'bezkoder-cookies': await startAdapters('bezkoder-cookies', env),
    grokonez: await startAdapters('grokonez', env),
    'grokonez-react': await startAdapters('grokonez-react', env),
    zohaib: most,
    devckano: most,
  };
}

/** The wire format of a tutorial, as its front end knows it. */
export interface FrontEnd {
  name: string;
  /** Paths: sign-up, sign-in, and one for signed-in users only. */
  signUp: string;
  signIn: string;
  guarded: string;
  /** The name of the identifier field, and its value for a name. */
  field: 'username' | 'email' | 'name';
  who: (name: string) => string;
  /** The body of a valid sign-up. */
  newcomer: (name: string) => Record<string, string>;
  welcome: number;
  taken: unknown;
  wrong: unknown;
  /** The answers without a token, and with an invalid one. */
  stranger: [status: number, body: unknown];
  refused: unknown;
  /** The body of any other refusal. */
  complaint: (sentence: unknown) => unknown;
  /** The token in the answer to a sign-in, and the headers that carry it. */
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

const bezkoder: FrontEnd = {
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

const grokonez: FrontEnd = {
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
};

export const COOKIE = 'bezkoder-session';
/** Its name where PUBLIC_URL is https. */
export const HOST_COOKIE = `__Host-${COOKIE}`;
/** The name and the attributes of the first cookie in an answer. */
export const cookieOf = ({ headers }: Answer): Record<string, string> =>
  Object.fromEntries(
    (headers.getSetCookie()[0] ?? '')
      .split('; ')
      .map((part) => [part.split('=')[0], part.slice(part.indexOf('=') + 1)]),
  );

export const frontEnds: readonly FrontEnd[] = [
  bezkoder,
  {
    ...bezkoder,
    name: 'bezkoder-cookies',
    held: (answer) => cookieOf(answer)[COOKIE]!,
    shown: (token) => ({ cookie: `${COOKIE}=${token}` }),
  },
  grokonez,
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
  {
    ...grokonez,
    name: 'grokonez-react',
    newcomer: (name) => ({
      firstname: 'The',
      lastname: name,
      username: name,
      email: address(name),
      password,
    }),
  },
];

/** A new user who signed up and in through this front end. */
export async function member({ say }: Pick<AdapterApp, 'say'>, frontEnd: FrontEnd, name: string) {
  const fields = frontEnd.newcomer(name);
  const { status, text } = await say('POST', frontEnd.signUp, { json: fields });
  expect(status, text).toBe(frontEnd.welcome);
  const entered = await enter({ say }, frontEnd, name);
  return { ...entered, fields };
}
export async function enter({ say }: Pick<AdapterApp, 'say'>, frontEnd: FrontEnd, name: string) {
  const signedIn = await say('POST', frontEnd.signIn, {
    json: { [frontEnd.field]: frontEnd.who(name), password },
  });
  expect(signedIn.status, signedIn.text).toBe(200);
  const token = frontEnd.held(signedIn);
  const where: Where = frontEnd.field === 'email' ? { email: address(name) } : { username: name };
  return { signedIn, token, headers: frontEnd.shown(token), where };
}
