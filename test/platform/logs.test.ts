import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { emptyDatabase } from '#test/support/database';
import { rowsOf, settingsFor, startProcess } from '#test/support/process';

const secret = 'canary horse battery';

it('has one JSON line for each request, and no password, token, hash, address or query in any', async () => {
  const databaseUrl = await emptyDatabase();
  const server = await startProcess(settingsFor(databaseUrl, { LOG_LEVEL: 'debug' }));
  const { ask } = server;
  const ids: string[] = [];
  const tell: typeof ask = async (...question) => {
    const answer = await ask(...question);
    ids.push(answer.headers.get('x-request-id')!);
    return answer;
  };

  const registered = await tell('POST', '/auth/register', {
    body: { username: 'ada', email: 'canary@example.com', password: secret },
  });
  const token: string = registered.body.accessToken;
  const refused = await tell('POST', '/auth/login', {
    body: { identifier: 'ada', password: `${secret}!` },
  });
  const entered = await tell('POST', '/auth/login', {
    body: { identifier: 'canary@example.com', password: secret },
  });
  expect([registered.status, refused.status, entered.status]).toEqual([201, 401, 200]);
  await tell('GET', '/me', { token });
  await tell('GET', '/me', { token: `${token}x` });
  await tell('GET', '/admin/users', { token });
  await tell('GET', `/me?access_token=${token}`);
  await tell('GET', `/nowhere/${token}?q=canary`);
  await tell('GET', `/nowhere/${entered.body.accessToken.slice(0, 39)}`);
  await tell('GET', '/%ff%0a%0d{"level":"fatal"}');
  await tell('POST', '/auth/login', {
    raw: `{"password":"${secret}"`,
    headers: { 'content-type': 'application/json' },
  });
  await tell('POST', '/auth/login', {
    raw: `password=${secret}`,
    headers: { 'content-type': 'text/plain' },
  });
  await tell('POST', '/auth/register', { body: { username: 'ada', password: secret } });
  await tell('POST', '/auth/register', {
    body: { username: 'grace', password: secret, canary: secret },
  });
  const own = randomUUID();
  expect(
    (await tell('GET', '/livez', { headers: { 'x-request-id': own } })).headers.get('x-request-id'),
  ).toBe(own);
  for (const id of ['{"canary":1}', 'canary\t"', 'c'.repeat(65), 'canary canary'])
    expect(
      (await tell('GET', '/livez', { headers: { 'x-request-id': id } })).headers.get(
        'x-request-id',
      ),
    ).not.toBe(id);

  // What fetch does not send: a line break in a header, and bytes that are no request.
  for (const raw of [
    'GET /livez HTTP/1.1\r\nHost: x\r\nX-Request-Id: a\n{"canary":1}\r\n\r\n',
    `canary ${token}\r\n\r\n`,
  ])
    await new Promise<void>((resolve) => {
      const socket = connect(Number(new URL(server.url).port), '127.0.0.1', () => socket.end(raw));
      socket.resume().once('close', () => resolve());
    });
  await ask('GET', '/livez', { headers: { 'x-request-id': 'the-last-one' } });
  const { stdout, stderr } = await server.kill('SIGTERM');

  expect(stderr).toBe(`${server.banner}\n`);
  expect(stdout.endsWith('\n')).toBe(true);
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const requests = lines.filter(({ msg }) => msg === 'request');
  for (const id of ids)
    expect(
      requests.filter(({ requestId }) => requestId === id),
      id,
    ).toHaveLength(1);
  expect(new Set(ids).size).toBe(ids.length);
  for (const line of lines) {
    expect(line).toMatchObject({
      level: expect.stringMatching(/^(debug|info|warn)$/),
      time: expect.stringMatching(/^\d{4}-.*Z$/),
    });
    expect(Number.isNaN(Date.parse(line['time'] as string))).toBe(false);
  }
  for (const { method, path, status, ms } of requests) {
    expect([typeof method, typeof path, typeof status, typeof ms]).toEqual([
      'string',
      'string',
      'number',
      'number',
    ]);
    expect(path).not.toContain('?');
  }
  const events = lines.filter(({ msg }) => msg === 'event');
  expect(events.map(({ event }) => event)).toEqual(
    expect.arrayContaining(['user.registered', 'session.started', 'session.refused']),
  );
  for (const { event, requestId } of events)
    if (event === 'key.made') expect(requestId).toBeUndefined(); // no request asked for it
    else expect(ids).toContain(requestId);

  expect(stdout).not.toMatch(/canary|access_token|\$2[aby]\$|bcrypt-sha256|[?&]q=/);
  for (const jwt of [token, entered.body.accessToken as string])
    for (const part of jwt.split('.')) expect(stdout).not.toContain(part);
  for (const { password_hash } of await rowsOf(databaseUrl, 'SELECT password_hash FROM users'))
    expect(stdout).not.toContain(password_hash);
});
