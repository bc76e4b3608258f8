import { Agent, request } from 'node:http';
import type { Socket } from 'node:net';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import type { Log } from '#src/platform/log';
import { password, startApp } from '#test/support/app';
import { eventually } from '#test/support/eventually';
import { exchange } from '#test/support/fuzz/raw';
import { rawRequest } from '#test/support/raw-socket';

// With many routes, Express lets other work run before it reaches the last ones.
const { ctx, url, server, register, User, logIn } = await startApp({
  DIALECTS: 'bezkoder,zohaib,devckano',
  LOG_LEVEL: 'info',
});
const lines: { status: number; path: string }[] = [];
vi.spyOn(ctx.log as Required<Log>, 'writeRequest').mockImplementation(
  (line) => void lines.push(line),
);
const errors = vi.spyOn(ctx.log, 'error').mockImplementation(() => {});
beforeEach(() => {
  errors.mockClear();
  lines.length = 0;
});

const form = 'Content-Type: application/x-www-form-urlencoded';
const bytesOf = (path: string, headers: string[], body = '') =>
  Buffer.from([`POST ${path} HTTP/1.1`, 'Host: a', ...headers, '', body].join('\r\n'));

it.each([
  '/forgot-password',
  '/reset-password',
  '/confirm-email',
  '/accept-invitation',
  '/confirm-sign-up',
  '/restore-email',
  '/end-session',
])('refuses an empty form at %s with a page', async (path) => {
  for (const headers of [[], [form], ['Content-Length: 0'], [form, 'Content-Length: 0']]) {
    const { answers } = await rawRequest(url, bytesOf(path, headers));
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(answers[0]!.headers.get('content-type')).toMatch(/^text\/html/);
  }
  expect(errors).not.toHaveBeenCalled();
});

it.each(['2\r\n{}\r\n0\r\n', '2\r\n{}\r\n', '2\r\n{}', '2', '', 'zz\r\n'])(
  'refuses a body that breaks off, once and with one line in the log: %j',
  async (body) => {
    const chunked = 'Transfer-Encoding: chunked';
    const json = 'Content-Type: application/json';
    const paths = ['/forgot-password', '/auth/login', '/auth/logout', '/auth/password/forgot'];
    for (const path of paths) {
      const { answers } = await exchange(
        url,
        bytesOf(path, [path === '/forgot-password' ? form : json, chunked], body),
      );
      expect(answers.map(({ status }) => status)).toEqual([400]);
    }
    await eventually(() => expect(lines.map(({ path }) => path)).toEqual(paths));
    expect(errors).not.toHaveBeenCalled();
  },
);

it.each(['/docs', '/openapi.json', '/reset-password', '/nowhere'])(
  'answers a GET of %s whose body breaks off once, though the router reaches it later',
  async (path) => {
    const head = [`GET ${path} HTTP/1.1`, 'Host: a', 'Transfer-Encoding: chunked', '', 'zz\r\n'];
    const { answers } = await exchange(url, Buffer.from(head.join('\r\n')));
    expect(answers.map(({ status }) => status)).toEqual([400]);
    await eventually(() => expect(lines).toHaveLength(1));
    expect(errors).not.toHaveBeenCalled();
  },
);

it('does nothing of what was asked with a body that breaks off', async () => {
  const { id, username, token } = await register({ name: 'Ada' });
  const headers = [
    `Authorization: Bearer ${token}`,
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
  ];
  for (const [method, path] of [
    ['PATCH', '/me'],
    ['POST', '/auth/logout'],
    ['DELETE', '/me'],
  ] as const) {
    const bytes = [`${method} ${path} HTTP/1.1`, 'Host: a', ...headers, '', '2\r\n{}\r\n'];
    const { answers } = await exchange(url, Buffer.from(bytes.join('\r\n')));
    expect(answers.map(({ status }) => status)).toEqual([400]);
  }
  expect(await User.count({ where: { id } })).toBe(1);
  expect((await logIn(username, password)).status).toBe(200);
  expect(errors).not.toHaveBeenCalled();
});

it('leaves nothing of a refused body on a connection that is kept', async () => {
  const sockets: Socket[] = [];
  server.on('connection', (socket) => sockets.push(socket));
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const headers = { 'content-type': 'application/json', 'content-length': 4 };
  // The second half of the body comes when the answer has come.
  const refused = () =>
    new Promise<number>((resolve, reject) => {
      const asked = request(`${url}/nothing`, { agent, method: 'POST', headers }, (answer) => {
        answer.resume().once('end', () => resolve(answer.statusCode!));
        asked.end('}}');
      });
      asked.once('error', reject).write('{{');
    });
  const listeners = () => sockets[0]!.listenerCount('close');
  expect(await refused()).toBe(404);
  for (let i = 0; i < 15; i++) expect(await refused()).toBe(404);
  expect(sockets).toHaveLength(1);
  await eventually(() => expect(listeners()).toBeLessThan(10));
});
