import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Log } from '#src/platform/log';
import { startApp } from '#test/support/app';
import { eventually } from '#test/support/eventually';
import { jsonRequest, rawRequest, type Raw } from '#test/support/raw-socket';

const { ask, url, ctx, register, server } = await startApp();
const HOST = 'Host: sallyport.test';
afterEach(() => {
  vi.useRealTimers();
});
const alive = async () => expect((await ask('GET', '/readyz')).status).toBe(200);

/** The headers of an answer that differ from those of any other refusal. */
const headersOf = ({ headers }: Raw['answers'][number]) =>
  Object.fromEntries(
    [...headers].filter(([name]) => !/^(date|x-request-id|content-length|keep-alive)$/.test(name)),
  );

async function expectRefused(raw: Raw, status = 400, code = 'invalid_request') {
  expect(raw.answers.map((answer) => answer.status)).toEqual([status]);
  expect(raw.closed).toBe(true);
  const answer = raw.answers[0]!;
  const { answers } = await rawRequest(
    url,
    `GET /nothing HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n\r\n`,
  );
  expect(headersOf(answer)).toEqual(headersOf(answers[0]!));
  const requestId = answer.headers.get('x-request-id');
  expect(JSON.parse(answer.body)).toMatchObject({ status, code, requestId });
  return requestId!;
}

/** Runs `fn`, and answers the lines of the log for requests. */
async function linesWhile(fn: () => Promise<unknown>) {
  const lines: Record<string, unknown>[] = [];
  const log = ctx.log as Required<Log>;
  const spies = (['writeRequest', 'warn'] as const).map((name) =>
    vi.spyOn(log, name).mockImplementation((line: object) => void lines.push(line as never)),
  );
  try {
    await fn();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return lines;
}

describe('A request target', () => {
  it.each([
    'http://[::1/me',
    'http://]/',
    'http://[/',
    'http://',
    'http:///me',
    'https://a@b/me',
    'http://a:99999999/me',
    'http://a b/me',
    'ftp://sallyport.test/me',
    'javascript:alert(1)',
    'sallyport.test:443',
    'me',
    '*',
    '?a=b',
    '%2fme',
    '\\me',
  ])('that is none is answered with a problem, logged, and closes: %s', async (target) => {
    let requestId = '';
    const lines = await linesWhile(async () => {
      const raw = await rawRequest(url, `GET ${target} HTTP/1.1\r\n${HOST}\r\n\r\n`);
      requestId = await expectRefused(raw);
    });
    expect(lines).toContainEqual(expect.objectContaining({ requestId, status: 400 }));
    await alive();
  });

  it.each([
    ['http://sallyport.test/livez', 200],
    ['HTTPS://other.test:8443/livez?', 200],
    ['http://[::1]:3000/nothing', 404],
    ['http://sallyport.test', 200],
    ['http://sallyport.test?a=b', 200],
    ['//[::1/livez', 404],
    ['//', 200],
    ['//]', 404],
    ['/livez#part', 200],
    ['/\u00ff\u00fe', 400],
    ['/\u00a0', 400],
    ['/[::1', 404],
    ['/http://[::1/', 404],
    ['/;:@&=+$,|{}^`"<>', 404],
  ])('that is one is answered: %s', async (target, status) => {
    const { answers } = await rawRequest(url, `GET ${target} HTTP/1.1\r\n${HOST}\r\n\r\n`);
    expect(answers.map((answer) => answer.status)).toEqual([status]);
  });

  it.each(['evil.example:443', '/me', '[::1', 'x'])(
    'opens no tunnel: CONNECT %s is answered and logged (H-19)',
    async (target) => {
      const lines = await linesWhile(async () => {
        const raw = await rawRequest(url, `CONNECT ${target} HTTP/1.1\r\n${HOST}\r\n\r\n`);
        await expectRefused(raw);
      });
      expect(lines).toContainEqual(expect.objectContaining({ status: 400 }));
      expect(JSON.stringify(lines)).not.toContain('evil');
    },
  );

  it('of the whole server is for OPTIONS', async () => {
    const { answers } = await rawRequest(url, `OPTIONS * HTTP/1.1\r\n${HOST}\r\n\r\n`);
    expect(answers.map(({ status }) => status)).toEqual([204]);
  });
});

describe('Headers', () => {
  const get = (...lines: string[]) => `${['GET /livez HTTP/1.1', ...lines].join('\r\n')}\r\n\r\n`;
  it.each([
    ['no host', get()],
    ['two hosts', get(HOST, 'Host: evil.example')],
    ['two hosts that are the same', get(HOST, 'hOST: sallyport.test')],
    ...[
      '',
      'a b',
      'a/b',
      'a@b',
      'a,b',
      'a:b',
      'a:80:80',
      'a:99999',
      '[::1',
      '::1',
      '[x]',
      '[1.2.3.4]',
      'a"b',
      'http://a',
      'a?b',
      '\u00e4.test',
    ].map((host) => [`the host ${JSON.stringify(host)}`, get(`Host: ${host}`)]),
    [
      'two content types',
      `POST /auth/login HTTP/1.1\r\n${HOST}\r\nContent-Type: application/json\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}`,
    ],
    [
      'chunks in HTTP/1.0',
      `POST /auth/login HTTP/1.0\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`,
    ],
  ])('that may mean two things are 400: %s', async (_what, bytes) => {
    const { answers } = await rawRequest(url, bytes);
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(JSON.parse(answers[0]!.body)).toMatchObject({ code: 'invalid_request' });
  });

  it.each(['HEAD', 'OPTIONS'])('that may mean two things are 400 for %s, too', async (method) => {
    const preflight = 'Origin: https://app.example.com\r\nAccess-Control-Request-Method: GET';
    for (const more of ['', `${preflight}\r\n`])
      for (const host of ['Host: evil.example', 'Host: a b']) {
        const lines = host === 'Host: a b' ? host : `${HOST}\r\n${host}`;
        const { text } = await rawRequest(url, `${method} /me HTTP/1.1\r\n${lines}\r\n${more}\r\n`);
        expect(text).toMatch(/^HTTP\/1\.1 400 /);
      }
  });

  it.each(['a', 'a.', 'a:80', 'a:', 'A-b_c.test:65535', '127.0.0.1', '[::1]:3000', '%61'])(
    'name any host: %s',
    async (host) => {
      const { answers } = await rawRequest(url, get(`Host: ${host}`));
      expect(answers.map(({ status }) => status)).toEqual([200]);
    },
  );

  it('need no host in HTTP/1.0', async () => {
    const { text, closed } = await rawRequest(url, 'GET /livez HTTP/1.0\r\n\r\n');
    expect(text).toMatch(/^HTTP\/1\.1 200 /);
    expect(closed).toBe(true);
  });
});

it.each([
  ['noise', 'noise\r\n\r\n', 400, 'invalid_request'],
  [
    'two lengths',
    `POST / HTTP/1.1\r\n${HOST}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`,
    400,
    'invalid_request',
  ],
  [
    'large headers',
    `GET / HTTP/1.1\r\n${HOST}\r\nA: ${'a'.repeat(17_000)}\r\n\r\n`,
    431,
    'headers_too_large',
  ],
  [
    'a bad chunk',
    `POST /auth/login HTTP/1.1\r\n${HOST}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n`,
    400,
    'invalid_request',
  ],
  [
    'large chunk extensions',
    `POST /auth/login HTTP/1.1\r\n${HOST}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2;${'a'.repeat(20_000)}\r\n{}\r\n0\r\n\r\n`,
    413,
    'payload_too_large',
  ],
])('answers %s as any other refusal, and logs it', async (_what, bytes, status, code) => {
  let requestId = '';
  const lines = await linesWhile(async () => {
    requestId = await expectRefused(await rawRequest(url, bytes), status, code);
    await alive();
  });
  expect(lines).toContainEqual(expect.objectContaining({ requestId, status }));
});

describe('A body that is too large', () => {
  /** Sends until the server hangs up. Answers what came back, and how many bytes left. */
  const stream = (head: string, part: Buffer): Promise<{ text: string; sent: number }> =>
    new Promise((resolve) => {
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      let text = '';
      const more = () => {
        while (socket.writable && socket.bytesWritten < 200e6 && socket.write(part));
      };
      socket.setEncoding('latin1').on('data', (data: string) => (text += data));
      socket.on('drain', more).on('error', () => {});
      socket.once('close', () => resolve({ text, sent: socket.bytesWritten }));
      socket.write(head);
      more();
    });
  const chunk = Buffer.concat([
    Buffer.from('10000\r\n'),
    Buffer.alloc(65_536, 32),
    Buffer.from('\r\n'),
  ]);
  const headOf = (method: string, path: string, ...lines: string[]) =>
    `${[`${method} ${path} HTTP/1.1`, HOST, 'Content-Type: application/json', ...lines].join('\r\n')}\r\n\r\n`;

  it.each([
    ['announced', headOf('POST', '/auth/login', 'Content-Length: 3000000000'), 413],
    [
      'announced to be a little too large',
      headOf('POST', '/auth/login', 'Content-Length: 16385'),
      413,
    ],
    ['streamed', headOf('POST', '/auth/login', 'Transfer-Encoding: chunked'), 413],
    ['sent by a stranger', headOf('PATCH', '/me', 'Transfer-Encoding: chunked'), 401],
    [
      'sent to a path that does not exist',
      headOf('POST', '/nothing', 'Transfer-Encoding: chunked'),
      404,
    ],
    [
      'sent with a method that does not exist',
      headOf('PUT', '/livez', 'Content-Length: 3000000000'),
      405,
    ],
    ['sent with GET', headOf('GET', '/livez', 'Content-Length: 3000000000'), 200],
  ])('is refused at once, and the connection ends: %s', async (_what, head, status) => {
    const { text, sent } = await stream(head, chunk);
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    // What is on the way in the buffers of two sockets counts as sent.
    expect(sent).toBeLessThan(30e6);
  });

  it('is answered before anything of it was sent', async () => {
    const { answers, closed } = await rawRequest(
      url,
      headOf('POST', '/auth/login', 'Content-Length: 3000000000'),
    );
    expect(answers.map(({ status }) => status)).toEqual([413]);
    expect(closed).toBe(true);
  });
});

describe('A peer that reads nothing', async () => {
  const app = await startApp();
  app.server.setTimeout(1500);
  const openFiles = () => readdirSync('/proc/self/fd').length;

  it('holds one file of many that it asked for, and loses its connection', async () => {
    const before = openFiles();
    const request = `GET /docs/swagger-ui-bundle.js HTTP/1.1\r\n${HOST}\r\n\r\n`;
    const sockets = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const socket = connect(Number(new URL(app.url).port), '127.0.0.1');
        socket.on('error', () => {}).pause();
        await new Promise((resolve) => socket.write(request.repeat(500), resolve));
        return socket;
      }),
    );
    let most = 0;
    await eventually(async () => {
      most = Math.max(most, openFiles());
      const open = await new Promise<number>((resolve) => {
        app.server.getConnections((_error, count) => resolve(count));
      });
      expect(open).toBe(0);
    });
    expect(most - before).toBeLessThan(5 * 4);
    for (const socket of sockets) socket.destroy();
  });

  it('is cut off by the server as it is started, too', () => {
    expect(server.timeout).toBe(30_000);
  });
});

it('answers 300 requests at once on one connection, in their order', async () => {
  const one = (i: number) => jsonRequest('GET', `/nothing/${i}`, '', { 'X-Request-Id': `n-${i}` });
  const all = Array.from({ length: 300 }, (_, i) => one(i));
  const { answers } = await rawRequest(url, Buffer.concat(all), 300);
  expect(answers.map(({ headers }) => headers.get('x-request-id'))).toEqual(
    all.map((_, i) => `n-${i}`),
  );
});

describe('What is no request', async () => {
  const limited = await startApp({ LIMITS: 'on' });
  const kinds: [string, number][] = [
    [`GET http://[::1/ HTTP/1.1\r\n${HOST}\r\n\r\n`, 400],
    ['noise\r\n\r\n', 400],
    [`GET /nothing HTTP/1.1\r\n${HOST}\r\n${HOST}\r\n\r\n`, 400],
    [`TRACE /nothing HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n\r\n`, 405],
    [`CONNECT evil.example:443 HTTP/1.1\r\n${HOST}\r\n\r\n`, 400],
  ];
  const ask = async (bytes: string) => (await rawRequest(limited.url, bytes)).answers[0]?.status;

  it('counts like every request', async () => {
    vi.useFakeTimers({ toFake: ['Date'] }); // all in one minute
    for (let i = 0; i < 300 / kinds.length; i++)
      for (const [bytes, status] of kinds) expect(await ask(bytes)).toBe(status);
    for (const [bytes] of kinds) expect(await ask(bytes)).toBe(429);
  });
});

it.each([
  ['unknown fields', `{${Array.from({ length: 1700 }, (_, i) => `"k${i}":1`).join()}}`],
  [
    'unknown fields with long names',
    `{${Array.from({ length: 200 }, (_, i) => `"${'k'.repeat(60)}${i}":1`).join()}}`,
  ],
])('names only some of 1 700 %s', async (_what, raw) => {
  const user = await register();
  for (const [method, path] of [
    ['POST', '/auth/login'],
    ['PATCH', '/me'],
  ] as const) {
    const { status, body, text } = await user.ask(method, path, {
      raw,
      headers: { 'content-type': 'application/json' },
    });
    expect(status).toBe(400);
    expect(body.errors.length).toBeLessThanOrEqual(20);
    expect(text.length).toBeLessThan(5000);
  }
});

it('names only some of 900 unknown parameters', async () => {
  const query = Array.from({ length: 900 }, (_, i) => `k${i}=1`).join('&');
  const { status, body } = await ask('GET', `/livez?${query}`);
  expect([status, body.errors.length]).toEqual([400, 20]);
});
