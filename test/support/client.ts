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

const DECLARED = new Set([200, 201, 202, 204, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 431, 503]);
const LEAKS =
  /\$2[abxy]\$|bcrypt-sha256|passwordHash|password_hash|canonical|node_modules| at (?:\/|file:)|sequelize|SQLITE_|(?<![\w.-])ER_[A-Z]|SELECT |INSERT |\.sqlite|127\.0\.0\.1:33/i;

/** What must hold for every answer of this server, whatever was asked. `quick` is how long it may take, in milliseconds. */
function expectDecent(answer: Answer, path: string, ms: number, quick = 2000): void {
  const { status, headers, text, body } = answer;
  const page = /^\/(docs|openapi\.json|problems\/)/.test(path) && status === 200;
  expect(DECLARED, `${path} answered ${status}: ${text}`).toContain(status);
  expect(ms, `${path} took too long`).toBeLessThan(quick);
  if (!page) expect(text).not.toMatch(LEAKS);
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
  expect(headers.get('content-security-policy')).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  expect(headers.get('x-powered-by')).toBeNull();
  expect(headers.get('etag')).toBeNull();
  expect(headers.get('set-cookie')).toBeNull();
  expect(headers.get('x-request-id')).toMatch(/^[A-Za-z0-9-]{1,64}$/);
  const shared = path === '/.well-known/jwks.json' && status === 200;
  if (!page) expect(headers.get('cache-control')).toBe(shared ? 'public, max-age=300' : 'no-store');
  expect(headers.has('www-authenticate'), `${status} and WWW-Authenticate`).toBe(
    status === 401 || (status === 403 && body?.required !== undefined),
  );
  if (status < 400) return;
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(body).toMatchObject({
    status,
    code: expect.any(String),
    title: expect.any(String),
    action: expect.any(String),
    type: `/problems/${body.code}`,
    requestId: headers.get('x-request-id'),
  });
  if (status === 503 || status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThan(0);
}

/** Asks a running server, and holds every answer to `expectDecent`. */
export const clientOf =
  (url: string, quick?: number) =>
  async (method: string, path: string, { token, body, raw, headers = {} }: Question = {}): Promise<Answer> => {
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
    const json = /json/.test(response.headers.get('content-type') ?? '') && text ? JSON.parse(text) : undefined;
    const answer = { status: response.status, headers: response.headers, text, body: json };
    expectDecent(answer, path, performance.now() - start, quick);
    return answer;
  };
