import { expect } from 'vitest';

export interface Answer {
  status: number;
  headers: Headers;
  text: string;
  // eslint-disable-next-line typescript/no-explicit-any -- a test says itself what it expects in there
  body: any;
}
export interface Question {
  token?: string | undefined;
  /** Sent as JSON. */
  body?: unknown;
  /** Sent as it is. */
  raw?: string | Buffer;
  headers?: Record<string, string>;
}

/**
 * How long an answer may take, in milliseconds: nothing hangs, and nobody waits for a mail server or for a provider, which get ten
 * seconds. It says nothing of speed, of which machines have more or less.
 */
export const HANGS = 9000;

export const DECLARED = new Set([
  200, 201, 202, 204, 400, 401, 403, 404, 405, 408, 409, 412, 413, 415, 422, 429, 431, 503,
]);
export const LEAKS =
  /\$2[abxy]\$|bcrypt-sha256|passwordHash|password_hash|canonical|node_modules| at (?:\/|file:)|sequelize|SQLITE_|(?-i:\bER_[A-Z_]{5}|SELECT |INSERT )|\.sqlite|127\.0\.0\.1:3306\b/i;

/** What two administrators could overwrite for each other. */
const HAS_ETAG = /^\/admin\/(users|roles|webhooks|services)\/[^/]+$/;

/** What must hold for every answer of this server, whatever was asked; the first thing that does not. */
export function fault(
  { status, headers, text, body }: Answer,
  path: string,
  ms: number,
  setsCookie = false,
): string | undefined {
  const page =
    /^\/($|brand\/|favicon\.ico$|docs|openapi\.json|problems\/)/.test(path) && status === 200;
  const shared = path === '/.well-known/jwks.json' && status === 200;
  const has = (name: string, value: string | null) => headers.get(name) === value;
  const challenge =
    body?.code === 'unauthorized_client'
      ? undefined
      : (body?.required ?? body?.acrValues ?? body?.maxAge);
  const challenged = status === 401 || (status === 403 && challenge !== undefined);
  const leads = path.endsWith('/.well-known/change-password') && status === 302;
  const checks: [boolean, string][] = [
    [leads || DECLARED.has(status), 'status'],
    [ms < HANGS, `time: ${Math.round(ms)} ms`],
    [page || !LEAKS.test(text), 'what it gives away'],
    [has('x-content-type-options', 'nosniff'), 'X-Content-Type-Options'],
    [
      has('strict-transport-security', 'max-age=31536000; includeSubDomains'),
      'Strict-Transport-Security',
    ],
    [
      /default-src 'none'.*frame-ancestors 'none'/.test(
        headers.get('content-security-policy') ?? '',
      ),
      'Content-Security-Policy',
    ],
    [
      has('x-powered-by', null) &&
        (has('etag', null) || HAS_ETAG.test(path)) &&
        (setsCookie || has('set-cookie', null)),
      'X-Powered-By, ETag or Set-Cookie',
    ],
    [/^[A-Za-z0-9-]{1,64}$/.test(headers.get('x-request-id') ?? ''), 'X-Request-Id'],
    [page || has('cache-control', shared ? 'public, max-age=300' : 'no-store'), 'Cache-Control'],
    [headers.has('www-authenticate') === challenged, 'WWW-Authenticate'],
    ...(status < 400 ? [] : refusalChecks(status, headers, body)),
  ];
  return checks.find(([good]) => !good)?.[1];
}

/** The form of RFC 6749 §5.2 has the members of a problem that a client can act on. */
function refusalChecks(status: number, headers: Headers, body: Answer['body']) {
  if (typeof body?.error !== 'string') return problemChecks(status, headers, body);
  const texts = [body.error_description, body.code, body.action];
  const checks: [boolean, string][] = [
    [headers.get('content-type') === 'application/json; charset=utf-8', 'Content-Type'],
    [body.status === status && texts.every((text) => typeof text === 'string'), 'members'],
    [body.requestId === headers.get('x-request-id'), 'requestId'],
    [(status !== 503 && status !== 429) || Number(headers.get('retry-after')) > 0, 'Retry-After'],
  ];
  return checks;
}

function problemChecks(
  status: number,
  headers: Headers,
  body: Answer['body'],
): [boolean, string][] {
  const texts = [body?.code, body?.title, body?.action];
  return [
    [headers.get('content-type') === 'application/problem+json; charset=utf-8', 'Content-Type'],
    [body?.status === status && texts.every((text) => typeof text === 'string'), 'members'],
    [
      body?.type === `/problems/${body?.code}` && body?.requestId === headers.get('x-request-id'),
      'type or requestId',
    ],
    [(status !== 503 && status !== 429) || Number(headers.get('retry-after')) > 0, 'Retry-After'],
  ];
}

function expectDecent(answer: Answer, path: string, ms: number, setsCookie: boolean): void {
  const wrong = fault(answer, path, ms, setsCookie);
  if (wrong)
    expect.fail(
      `${path} answered ${answer.status} with the wrong ${wrong}: ${JSON.stringify([...answer.headers])} ${answer.text}`,
    );
}

/** Which statuses these answers have, lowest first: who won a race does not matter. */
export const statusesOf = (answers: readonly Pick<Answer, 'status'>[]): number[] =>
  answers.map(({ status }) => status).sort((a, b) => a - b);

/**
 * Asks a running server, and holds every answer to `expectDecent`. `untimed`: it may take any time, for programs that
 * wait for every answer themselves.
 */
export const clientOf =
  (url: string, { untimed = false } = {}) =>
  async (
    method: string,
    path: string,
    { token, body, raw, headers = {} }: Question = {},
  ): Promise<Answer> => {
    const start = performance.now();
    const response = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: {
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
        ...headers,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(raw !== undefined && { body: raw }),
    });
    const text = await response.text();
    const json =
      /[/+]json/.test(response.headers.get('content-type') ?? '') && text
        ? JSON.parse(text)
        : undefined;
    const answer = { status: response.status, headers: response.headers, text, body: json };
    expectDecent(
      answer,
      path,
      untimed ? 0 : performance.now() - start,
      'x-refresh-token' in headers,
    );
    return answer;
  };
