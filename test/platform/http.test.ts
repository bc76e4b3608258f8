import { gzipSync } from 'node:zlib';
import { describe, expect, it, vi } from 'vitest';
import { emailPages } from '#src/email/pages';
import { passwordPages } from '#src/passwords/pages';
import { sessionPages } from '#src/sessions/pages';
import { DOCS_PATHS } from '#src/platform/http/docs';
import { password, startApp } from '#test/support/app';
import { engine } from '#test/support/database';
import { jsonRequest, rawRequest, type Raw } from '#test/support/raw-socket';

const { ask, url, register, server, User } = await startApp();
await register({ username: 'ada' });
/** Has one session. Ada signs in so often that her first session is replaced. */
const member = await register();
const signIn = JSON.stringify({ identifier: 'ada', password });
const alive = async () => expect((await ask('GET', '/livez')).status).toBe(200);

const HOST = 'Host: sallyport.test';
const post = (...lines: string[]) =>
  `POST /auth/login HTTP/1.1\r\n${[HOST, 'Content-Type: application/json', ...lines].join('\r\n')}`;
const expectProblem = ({ answers }: Raw, status: number, code: string) => {
  expect(answers.map((answer) => answer.status)).toEqual([status]);
  const [{ headers, body }] = answers as [Raw['answers'][number]];
  expect(headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
  expect(headers.get('cache-control')).toBe('no-store');
  expect(headers.get('x-content-type-options')).toBe('nosniff');
  expect(headers.get('content-security-policy')).toMatch(
    /default-src 'none'; ?frame-ancestors 'none'/,
  );
  expect(headers.get('strict-transport-security')).toBe('max-age=31536000; includeSubDomains');
  expect(JSON.parse(body)).toMatchObject({ status, code, requestId: headers.get('x-request-id') });
};

// For the last test: these take ten seconds, during which the other tests run. No database is asked, so one engine is
// enough.
const started = performance.now();
const slow = Array.from({ length: engine === 'sqlite' ? 50 : 0 }, async () => ({
  raw: await rawRequest(url, `GET /livez HTTP/1.1\r\n${HOST}\r\nX-Slow: `),
  ms: performance.now() - started,
}));

const smuggled = `POST /auth/login HTTP/1.1\r\n${HOST}\r\nContent-Length: 0\r\n\r\n`;
it.each([
  [
    'length and chunks',
    `${post(`Content-Length: ${signIn.length}`, 'Transfer-Encoding: chunked')}\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  [
    'chunks and length',
    `${post('Transfer-Encoding: chunked', 'Content-Length: 4')}\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  [
    'two lengths',
    `${post(`Content-Length: ${signIn.length}`, 'Content-Length: 0')}\r\n\r\n${signIn}`,
  ],
  ['two lengths in one line', `${post(`Content-Length: ${signIn.length}, 0`)}\r\n\r\n${signIn}`],
  ['a negative length', `${post('Content-Length: -1')}\r\n\r\n${signIn}`],
  ['a length with a sign', `${post(`Content-Length: +${signIn.length}`)}\r\n\r\n${signIn}`],
  ['a length in hexadecimal', `${post('Content-Length: 0x10')}\r\n\r\n${signIn}`],
  ['chunks by another name', `${post('Transfer-Encoding: xchunked')}\r\n\r\n0\r\n\r\n${smuggled}`],
  [
    'chunks that are not the last encoding',
    `${post('Transfer-Encoding: chunked, identity')}\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  [
    'chunks with a space before the colon',
    `${post('Transfer-Encoding : chunked')}\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  [
    'chunks after a vertical tab',
    `${post('Transfer-Encoding: \u000bchunked')}\r\n\r\n0\r\n\r\n${smuggled}`,
  ],
  [
    'a chunk size that is none',
    `${post('Transfer-Encoding: chunked')}\r\n\r\nxyz\r\n${signIn}\r\n0\r\n\r\n`,
  ],
  [
    'a chunk longer than it says',
    `${post('Transfer-Encoding: chunked')}\r\n\r\n2\r\n${signIn}\r\n0\r\n\r\n`,
  ],
  ['lines that end in LF alone', `GET /livez HTTP/1.1\n${HOST}\n\n`],
  ['a header line that ends in LF alone', `GET /livez HTTP/1.1\r\n${HOST}\nX-A: b\r\n\r\n`],
  ['a folded header', `GET /livez HTTP/1.1\r\n${HOST}\r\nX-A: b\r\n  c\r\n\r\n`],
  [
    'a space before the colon',
    `GET /livez HTTP/1.1\r\n${HOST}\r\nAuthorization : Bearer x\r\n\r\n`,
  ],
  ['a space before the first header', `GET /livez HTTP/1.1\r\n ${HOST}\r\n\r\n`],
  ['a header without a name', `GET /livez HTTP/1.1\r\n${HOST}\r\n: x\r\n\r\n`],
  ['NUL in a header', `GET /livez HTTP/1.1\r\n${HOST}\r\nX-A: b\u0000c\r\n\r\n`],
  ['CR in a header', `GET /livez HTTP/1.1\r\n${HOST}\r\nX-A: b\rc\r\n\r\n`],
  ['a space in the path', `GET /li vez HTTP/1.1\r\n${HOST}\r\n\r\n`],
  ['HTTP/3.0', `GET /livez HTTP/3.0\r\n${HOST}\r\n\r\n`],
  ['a method of its own, BREW (H-19)', `BREW /coffee HTTP/1.1\r\n${HOST}\r\n\r\n`],
  ['a method in small letters', `get /livez HTTP/1.1\r\n${HOST}\r\n\r\n`],
  ['a TLS greeting', Buffer.from('16030100c8010000c40303', 'hex')],
  ['noise', Buffer.from([0, 255, 13, 10, 0, 1, 2, 3, 13, 10, 13, 10])],
])('answers 400 to %s, and hangs up (H-13)', async (_what, bytes) => {
  const raw = await rawRequest(url, bytes);
  expect(raw.closed, raw.text).toBe(true);
  expectProblem(raw, 400, 'invalid_request');
  await alive();
});

it.each([
  ['in one header', `X-A: ${'a'.repeat(17_000)}`],
  [
    'in many headers',
    Array.from({ length: 400 }, (_, i) => `X-${i}: ${'a'.repeat(40)}`).join('\r\n'),
  ],
])('answers 431 to more than 16 kB %s, and hangs up (H-11)', async (_where, headers) => {
  const raw = await rawRequest(url, `GET /livez HTTP/1.1\r\n${HOST}\r\n${headers}\r\n\r\n`);
  expectProblem(raw, 431, 'headers_too_large');
  expect(raw.closed).toBe(true);
});

it('answers 431 to a HEAD without a body, which the client would take for the next answer', async () => {
  const { text } = await rawRequest(
    url,
    `HEAD /livez?${'a'.repeat(17_000)} HTTP/1.1\r\n${HOST}\r\n\r\n`,
  );
  expect(text).toMatch(/^HTTP\/1\.1 431 /);
  expect(text).toMatch(/\r\n\r\n$/);
});

it.each([
  ['no host', 'GET /livez HTTP/1.1\r\n\r\n'],
  ['two hosts', `GET /livez HTTP/1.1\r\n${HOST}\r\nHost: evil.example\r\n\r\n`],
  ['an expectation that nobody knows', `${post('Expect: tea', 'Content-Length: 2')}\r\n\r\n{}`],
])('does not break at a request with %s', async (_what, bytes) => {
  const { answers } = await rawRequest(url, bytes);
  expect(answers.length).toBeLessThanOrEqual(1);
  expect(answers.every(({ status }) => status < 500)).toBe(true);
  await alive();
});

const LIMIT = 16 * 1024;
const bodyOf = (bytes: number) => {
  const start = '{"identifier":"ada","password":"';
  return `${start}${'x'.repeat(bytes - start.length - 2)}"}`;
};
const chunk = (text: string) => `${text.length.toString(16)}\r\n${text}\r\n`;

it('answers 413 to a body of 16 kB and a byte, and hangs up; not to 16 kB (H-03)', async () => {
  const tooLarge = await rawRequest(url, [
    jsonRequest('POST', '/auth/login', bodyOf(LIMIT + 1)),
    jsonRequest('GET', '/livez', ''),
  ]);
  expectProblem(tooLarge, 413, 'payload_too_large');
  expect(tooLarge.closed).toBe(true);
  const { answers } = await rawRequest(url, jsonRequest('POST', '/auth/login', bodyOf(LIMIT)));
  // The password is too long, the body is not.
  expect(answers.map(({ status }) => status)).toEqual([400]);
});

it('answers 413 to chunks that are too large together, and hangs up (H-03)', async () => {
  const raw = await rawRequest(url, [
    `${post('Transfer-Encoding: chunked')}\r\n\r\n`,
    ...Array.from({ length: 20 }, () => chunk('x'.repeat(1024))),
    '0\r\n\r\n',
  ]);
  expectProblem(raw, 413, 'payload_too_large');
  expect(raw.closed).toBe(true);
});

it('does not keep 10 MB of chunks in memory (H-03)', async () => {
  const before = process.memoryUsage().arrayBuffers;
  const parts = Array.from({ length: 160 }, () => chunk('x'.repeat(65_536)));
  const { answers } = await rawRequest(url, [
    `${post('Transfer-Encoding: chunked')}\r\n\r\n`,
    parts.join(''),
    '0\r\n\r\n',
  ]);
  expect(answers.every(({ status }) => status === 413)).toBe(true);
  // The client, in this same process, holds 10 MB itself.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(40e6);
  await alive();
});

it('takes a small body in chunks of one byte', async () => {
  const parts = [...signIn].map(chunk).join('');
  const { answers } = await rawRequest(
    url,
    `${post('Transfer-Encoding: chunked')}\r\n\r\n${parts}0\r\n\r\n`,
  );
  expect(answers.map(({ status }) => status)).toEqual([200]);
});

it.each(['gzip', 'deflate', 'br', 'GZIP', 'gzip, gzip', 'zstd', 'x'])(
  'answers 415 to a body in %s, and unpacks nothing (H-06)',
  async (encoding) => {
    const bomb = gzipSync(JSON.stringify({ identifier: 'ada', password: ' '.repeat(5_000_000) }));
    expect(bomb.length).toBeLessThan(LIMIT);
    expect(
      await ask('POST', '/auth/login', {
        raw: bomb,
        headers: { 'content-type': 'application/json', 'content-encoding': encoding },
      }),
    ).toMatchObject({
      status: 415,
      body: { code: 'unsupported_media_type' },
    });
  },
);

it.each([
  'text/plain',
  'text/json',
  'application/x-www-form-urlencoded',
  'application/jsonp',
  'application/problem+json',
  'application/json; charset=iso-8859-1',
  'application/json; charset=utf-16',
  'application/json; charset=utf-8; charset=utf-7',
  'application/json, text/plain',
  'multipart/form-data',
  '*/*',
  '',
])('answers 415 to the content type %j (H-04)', async (type) => {
  const answer = await ask('POST', '/auth/login', {
    raw: Buffer.from(signIn),
    headers: { 'content-type': type },
  });
  expect(answer).toMatchObject({ status: 415, body: { code: 'unsupported_media_type' } });
});

it.each([
  'application/json',
  'APPLICATION/JSON',
  'application/json; charset=utf-8',
  'application/json;charset="UTF-8"',
])('reads the content type %j', async (type) => {
  expect(
    (await ask('POST', '/auth/login', { raw: signIn, headers: { 'content-type': type } })).status,
  ).toBe(200);
});

it.each([
  ['{bad', '{bad'],
  ['half an object', '{"identifier":"ada","password":'],
  ['two objects', `${signIn}${signIn}`],
  ['a trailing comma', '{"identifier":"ada",}'],
  ['single quotes', "{'identifier':'ada'}"],
  ['a comment', `/* hello */${signIn}`],
  ['NaN', '{"identifier":NaN}'],
  ['a bare word', 'ada'],
  ['null', 'null'],
  ['a number', '1'],
  ['a string', '"ada"'],
  ['true', 'true'],
  ['a list', '[]'],
  ['spaces alone', '    '],
  ['UTF-16', Buffer.from(signIn, 'utf16le')],
  [
    'invalid UTF-8',
    Buffer.concat([
      Buffer.from('{"identifier":"ada","password":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]),
  ],
  [
    'an overlong /',
    Buffer.concat([
      Buffer.from('{"identifier":"ada","password":"'),
      Buffer.from([0xc0, 0xaf]),
      Buffer.from('"}'),
    ]),
  ],
  [
    'a surrogate in UTF-8',
    Buffer.concat([
      Buffer.from('{"identifier":"ada","password":"'),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from('"}'),
    ]),
  ],
  ['4 000 lists in each other (H-08)', '['.repeat(4000) + ']'.repeat(4000)],
  ['2 500 objects in each other (H-08)', '{"a":'.repeat(2500) + '1' + '}'.repeat(2500)],
  [
    '2 000 lists in a field (H-08)',
    `{"identifier":${'['.repeat(2000)}${']'.repeat(2000)},"password":"x"}`,
  ],
  ['nothing but [ (H-08)', '['.repeat(LIMIT)],
  ['1 500 fields', `{${Array.from({ length: 1500 }, (_, i) => `"a${i}":1`).join()}}`],
])('answers 400 to %s (H-01)', async (_what, raw) => {
  expect(
    await ask('POST', '/auth/login', { raw, headers: { 'content-type': 'application/json' } }),
  ).toMatchObject({
    status: 400,
    body: { code: 'invalid_request' },
  });
});

it('does not take the last of two equal keys for the first without saying so', async () => {
  // JSON.parse keeps the last one. Nobody may get in with the one that it hides.
  const raw = `{"identifier":"ada","password":"${password}","password":"wrong"}`;
  expect(
    (await ask('POST', '/auth/login', { raw, headers: { 'content-type': 'application/json' } }))
      .status,
  ).toBe(401);
});

it.each([
  '{"<script>alert(1)</script>":',
  '<script>alert(1)</script>',
  '{"identifier":"<script>"} <script>',
])('repeats nothing of the malformed body %j (G-14)', async (raw) => {
  const answer = await ask('POST', '/auth/login', {
    raw,
    headers: { 'content-type': 'application/json' },
  });
  expect(answer.status).toBe(400);
  expect(answer.text).not.toMatch(/script|alert|Unexpected|JSON\.parse|position/i);
});

it.each([
  ['/%ff', [400, 404]],
  ['/problems/%ff', [400]],
  ['/problems/%c0%af', [400]],
  ['/problems/%', [400]],
  ['/problems/%zz', [400]],
  ['/problems/%00', [404]],
  ['/problems/..%2f..%2fetc%2fpasswd', [404]],
  ['/problems/constructor', [404]],
  ['/problems/__proto__', [404]],
  ['/docs/..%2f..%2fpackage.json', [404]],
  ['/docs/%2e%2e/%2e%2e/package.json', [404]],
  ['/%2e%2e/%2e%2e/etc/passwd', [404]],
  ['//evil.example/%2e%2e', [404]],
  ['/auth//login', [404]],
  ['/nothing', [404]],
  ['/.env', [404]],
  ['/.git/config', [404]],
  [`/${'a'.repeat(8000)}`, [404]],
])('answers %s with one of %j, as a problem (H-10, H-20)', async (path, statuses) => {
  const raw = await rawRequest(url, `GET ${path} HTTP/1.1\r\n${HOST}\r\n\r\n`);
  expect(statuses).toContain(raw.answers[0]!.status);
  expectProblem(
    raw,
    raw.answers[0]!.status,
    raw.answers[0]!.status === 400 ? 'invalid_request' : 'not_found',
  );
});

it.each([
  ['DELETE', '/auth/login', 'POST'],
  ['GET', '/auth/login', 'POST'],
  ['HEAD', '/auth/login', 'POST'],
  ['GET', '/auth/register', 'POST'],
  ['POST', '/livez', 'GET, HEAD'],
  ['PUT', '/me', 'DELETE, GET, HEAD, PATCH'],
  ['DELETE', '/admin/users', undefined],
  ['POST', '/docs', 'GET, HEAD'],
  ['POST', '/problems/busy', 'GET, HEAD'],
])('answers 405 to %s %s and says what there is (H-20)', async (method, path, allow) => {
  const response = await fetch(url + path, { method });
  expect(response.status).toBe(405);
  if (allow) expect(response.headers.get('allow')).toBe(allow);
  expect(response.headers.get('allow')).toMatch(/^[A-Z]+(, [A-Z]+)*$/);
  if (method !== 'HEAD')
    expect(await response.json()).toMatchObject({ code: 'method_not_allowed' });
});

it.each(['TRACE', 'PROPFIND', 'PURGE', 'LOCK', 'SEARCH', 'M-SEARCH', 'REPORT', 'QUERY'])(
  'answers 405 to %s and echoes nothing (H-19)',
  async (method) => {
    const raw = await rawRequest(
      url,
      `${method} /livez HTTP/1.1\r\n${HOST}\r\nX-Secret: echo-me\r\n\r\n`,
    );
    expectProblem(raw, 405, 'method_not_allowed');
    expect(raw.text).not.toContain('echo-me');
  },
);

it('opens no tunnel (H-19)', async () => {
  const { text, closed } = await rawRequest(
    url,
    `CONNECT evil.example:443 HTTP/1.1\r\n${HOST}\r\n\r\n`,
  );
  expect(text).not.toContain(' 200 ');
  expect(closed).toBe(true);
  await alive();
});

it('changes to no other protocol', async () => {
  for (const protocol of ['websocket', 'h2c']) {
    const { answers } = await rawRequest(
      url,
      `GET /livez HTTP/1.1\r\n${HOST}\r\nConnection: Upgrade\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABk\r\n\r\n`,
    );
    expect(answers.every(({ status }) => status === 200)).toBe(true);
  }
  await alive();
});

it('does not break at OPTIONS * (H-27)', async () => {
  const { answers } = await rawRequest(url, `OPTIONS * HTTP/1.1\r\n${HOST}\r\n\r\n`);
  expect([200, 204, 404]).toContain(answers[0]!.status);
  await alive();
});

it('answers the path of an absolute URL, whatever host stands in it', async () => {
  const { answers } = await rawRequest(
    url,
    `GET http://evil.example/livez HTTP/1.1\r\n${HOST}\r\n\r\n`,
  );
  expect([200, 400, 404]).toContain(answers[0]!.status);
  expect(answers[0]!.headers.get('location')).toBeNull();
});

it('answers 100 pipelined sign-ins in their order, each by itself (H-23)', async () => {
  const requests = Array.from({ length: 100 }, (_, i) =>
    jsonRequest(
      'POST',
      '/auth/login',
      JSON.stringify({
        identifier: 'ada',
        password: i % 3 ? 'wrong' : password,
        ...(i % 5 === 4 && { x: 1 }),
      }),
      {
        'X-Request-Id': `pipe-${i}`,
      },
    ),
  );
  const { answers } = await rawRequest(url, requests, requests.length);
  expect(answers.map(({ headers }) => headers.get('x-request-id'))).toEqual(
    requests.map((_, i) => `pipe-${i}`),
  );
  answers.forEach(({ status }, i) =>
    expect([i % 5 === 4 ? 400 : i % 3 ? 401 : 200, 503]).toContain(status),
  ); // 503 is `busy`, which each request may get
  expect(answers.filter(({ status }) => status === 200).length).toBeGreaterThan(0);
});

it.each([
  ['If-None-Match', '*'],
  ['If-Modified-Since', new Date(Date.now() + 1e6).toUTCString()],
  ['Range', 'bytes=0-1'],
  ['If-Range', 'x'],
])('answers /me fresh and whole whatever %s says (H-24)', async (name, value) => {
  const { status, headers, body } = await member.ask('GET', '/me', { headers: { [name]: value } });
  expect(status).toBe(200);
  expect(body.id).toBe(member.id);
  expect(headers.get('content-range')).toBeNull();
});

it.each([
  ['10 kB of query', `?a=${'b'.repeat(10_000)}`],
  ['1 001 parameters', `?${Array.from({ length: 1001 }, (_, i) => `a${i}=1`).join('&')}`],
  ['1 001 times the same', `?${'limit=1&'.repeat(1001)}`],
  ['bad percent encoding', '?a=%ff%'],
])('answers 400 to %s (H-25)', async (_what, query) => {
  expect((await ask('GET', `/livez${query}`)).status).toBe(400);
  expect((await member.ask('GET', `/me${query}`)).status).toBe(400);
});

it.each([
  ['CRLF, encoded', 'a%0d%0aX-Evil:1'],
  ['markup', '<script>'],
  ['65 characters', 'a'.repeat(65)],
  ['10 kB', 'a'.repeat(10_000)],
  ['a space', 'a b'],
  ['two ids', 'a, b'],
  ['quotes', '","level":"info'],
])('gives a request id of its own for %s (I-22)', async (_what, id) => {
  const { headers } = await ask('GET', '/livez', { headers: { 'x-request-id': id } });
  expect(headers.get('x-request-id')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
});

it('takes a request id that is harmless', async () => {
  const { body } = await ask('GET', '/nothing', { headers: { 'x-request-id': 'Trace-0197' } });
  expect(body.requestId).toBe('Trace-0197');
});

it('says nowhere what it is made of (H-21, G-09)', async () => {
  for (const path of ['/livez', '/readyz', '/nothing', '/me']) {
    const { headers, text } = await ask('GET', path);
    expect(headers.get('server')).toBeNull();
    expect(headers.get('via')).toBeNull();
    expect(text).not.toMatch(/express|node|sqlite|mysql|mariadb|\d+\.\d+\.\d+/i);
  }
});

it.each([
  ['a field that was forgotten', { missing: true }],
  ['an error with a stack', new Error('SELECT * FROM users at /srv/secret.ts: $2b$12$abc')],
])(
  'answers a plain 500 with nothing but a request id when %s broke a handler (G-01)',
  async (_what, fault) => {
    const admin = await register({}, 'admin');
    const broken = vi.spyOn(User, 'findAll').mockRejectedValue(fault);
    const response = await fetch(`${url}/admin/users`, {
      headers: { authorization: `Bearer ${admin.token}` },
    });
    broken.mockRestore();
    expect(response.status).toBe(500);
    const body = (await response.json()) as Record<string, unknown>;
    expect(body).toEqual({
      type: '/problems/internal',
      title: 'Something went wrong on our side',
      status: 500,
      code: 'internal',
      action: 'wait',
      requestId: response.headers.get('x-request-id'),
    });
  },
);

describe('HEAD', async () => {
  const app = await startApp({
    DIALECTS: 'bezkoder,zohaib,devckano',
    REDIRECT_URIS: 'https://app.example/signed-in',
    GITHUB_CLIENT_ID: 'id',
    GITHUB_CLIENT_SECRET: 'of the app',
    WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1',
  });
  const user = await app.register();
  const admin = await app.register({}, 'admin');
  const url = 'http://127.0.0.1:9/';
  const { webhook } = await app.auth.webhooks.create({ url, types: ['user.imported'] });
  const { service } = await app.auth.services.create({ name: 'billing' });
  const routes = [...app.routes, ...app.adapters.flatMap((adapter) => adapter.routes)];
  const declared = [
    ...routes.filter(({ method }) => method === 'get').map(({ path }) => path),
    ...[...passwordPages(app.ctx), ...emailPages(app.ctx), ...sessionPages(app.ctx)].map(
      ({ path }) => path,
    ),
    ...DOCS_PATHS,
  ];
  // What a provider sends a browser to would be used up by HEAD: it is 405.
  const paths = declared
    .filter((path) => !path.startsWith('/auth/github') && path !== '/oauth/authorize')
    .map((path) => path.replace('/problems/:code', '/problems/busy').replace(':role', 'user'))
    .map((path) => path.replace('/users/:id', `/users/${user.id}`))
    .map((path) => path.replace('/webhooks/:id', `/webhooks/${webhook.id}`))
    .map((path) => path.replace('/services/:id', `/services/${service.id}`))
    .flatMap((path) => [path, `${path}?token=abc`]);

  it('is asked of every path that GET knows', () => {
    expect(paths).toEqual(
      expect.arrayContaining(['/livez', '/readyz', '/me', '/docs', '/protected']),
    );
    expect(paths.filter((path) => path.includes(':'))).toEqual([]);
  });

  /** Without what differs between any two answers. The length of no body may be left out (RFC 9110 §8.6). */
  const steady = (headers: Headers) =>
    [...headers].filter(
      ([name, value]) =>
        !/^(date|set-cookie|location)$/.test(name) && !(name === 'content-length' && value === '0'),
    );

  it.each(paths)('of %s has the status and the headers of GET, and no body', async (path) => {
    for (const token of [undefined, 'x.y.z', user.token, admin.token]) {
      const authorization = token ? [`Authorization: Bearer ${token}`] : [];
      const [whole, head] = await Promise.all(
        ['GET', 'HEAD'].map((method) => {
          const first = `${method} ${path} HTTP/1.1`;
          const lines = [first, HOST, 'X-Request-Id: same', 'Connection: close', ...authorization];
          return rawRequest(app.url, `${lines.join('\r\n')}\r\n\r\n`);
        }),
      );
      const [answer] = whole!.answers as [Raw['answers'][number]];
      const [bare] = head!.answers as [Raw['answers'][number]];
      expect([bare.status, token]).toEqual([answer.status, token]);
      expect(bare.status).toBeLessThan(500);
      expect(head!.text.split('\r\n\r\n')).toEqual([expect.any(String), '']);
      expect(steady(bare.headers)).toEqual(steady(answer.headers));
    }
  });
});

it.runIf(engine === 'sqlite')(
  'hangs up on who sends a header byte by byte, and answers others meanwhile (H-15)',
  async () => {
    await alive();
    expect(server.headersTimeout).toBe(10_000);
    for (const { raw, ms } of await Promise.all(slow)) {
      expect(ms).toBeLessThan(25_000); // by default Node looks every 30 s
      expect(raw.closed).toBe(true);
      expectProblem(raw, 408, 'request_timeout');
    }
  },
);
