import { execFileSync } from 'node:child_process';
import { closeSync, constants, openSync, readFileSync, readSync, truncateSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { emptyDatabase } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { emptyFolder, settingsFor, startProcess, type Running } from '#test/support/process';

/** Their lines are 2 MB, more than a pipe and the server keep. */
const MANY = 5000;
const path = `/${'a'.repeat(39)}`.repeat(5).slice(0, 200);

/** Asks so many times over one connection. Resolves when every answer has come. */
function flood({ url }: Running, requests: number, name: string): Promise<void> {
  const request = (i: number) =>
    `GET ${path} HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${name}-${i}\r\n\r\n`;
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let text = '';
    const answered = () => text.split('HTTP/1.1 404').length - 1;
    socket.setEncoding('latin1').on('data', (more: string) => {
      text += more;
      if (text.endsWith('}') && answered() === requests) resolve(void socket.destroy());
    });
    socket.once('close', () => reject(new Error(`${answered()} answers`)));
    socket.write(Array.from({ length: requests }, (_, i) => request(i)).join(''));
  });
}

/** A named pipe, and the end from which a test may read. */
function fifo() {
  const folder = emptyFolder();
  const file = join(folder, 'log');
  execFileSync('mkfifo', [file]);
  const open = () => openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
  return { file, open };
}

/** What is in the pipe now. */
function readAll(fd: number): string {
  const parts: Buffer[] = [];
  for (;;)
    try {
      const part = Buffer.alloc(65_536);
      const length = readSync(fd, part);
      if (length === 0) break;
      parts.push(part.subarray(0, length));
    } catch {
      break;
    }
  return Buffer.concat(parts).toString();
}

const linesOf = (text: string) =>
  text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string; requestId?: string; count?: number });

const start = async (before: string) => {
  const env = settingsFor(await emptyDatabase(), { LOG_LEVEL: 'info' });
  return startProcess(env, { before });
};

it('answers everybody when nobody reads the log, and counts what it had to drop (X)', async () => {
  const { file, open } = fifo();
  const reader = open();
  const server = await start(`exec >${file}`);
  await flood(server, MANY, 'first');
  expect((await server.ask('GET', '/readyz')).status).toBe(200);
  const rss = Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1]);
  await flood(server, MANY, 'second');
  const later = Number(
    /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))![1],
  );
  expect(later - rss).toBeLessThan(100_000);

  let text = '';
  await eventually(() => {
    text += readAll(reader);
    expect(text).toContain('log lines were dropped');
    expect(text.endsWith('\n')).toBe(true);
  });
  await flood(server, 1, 'third');
  await eventually(() => {
    text += readAll(reader);
    expect(text).toContain('third-0');
  });
  const lines = linesOf(text); // none is broken
  const kept = lines.filter(({ msg }) => msg === 'request').length;
  const dropped = lines.reduce((sum, { count = 0 }) => sum + count, 0);
  expect(dropped).toBeGreaterThan(MANY);
  expect(kept).toBeGreaterThan(2000);
  expect(kept + dropped).toBe(2 * MANY + 1 + 1); // and /readyz

  await flood(server, MANY, 'fourth');
  expect(await server.kill('SIGTERM')).toMatchObject({ code: 0, signal: null });
  closeSync(reader);
});

it('answers everybody when the disk of the log is full, and stops when it is told to (X)', async () => {
  const server = await start('exec >/dev/full');
  await flood(server, MANY, 'full');
  expect((await server.ask('GET', '/readyz')).status).toBe(200);
  expect(await server.kill('SIGTERM')).toMatchObject({
    code: 0,
    signal: null,
    stderr: expect.stringMatching(/^Sallyport is .*\n$/),
  });
});

it('goes on when the reader of the log goes away, and writes to the next one (X)', async () => {
  const { file, open } = fifo();
  const first = open();
  const server = await start(`exec >${file}`);
  await flood(server, 1, 'one');
  await eventually(() => expect(readAll(first)).toContain('one-0'));
  closeSync(first);
  await flood(server, 10, 'lost');
  const second = open();
  await flood(server, 1, 'two');
  let text = '';
  await eventually(() => {
    text += readAll(second);
    expect(text).toContain('two-0');
  });
  linesOf(text);
  closeSync(second);
  expect(await server.kill('SIGTERM')).toMatchObject({ code: 0, signal: null });
});

it('writes on at the beginning of a file that was copied and truncated', async () => {
  const file = join(emptyFolder(), 'log');
  const server = await start(`exec >>${file}`);
  await flood(server, 10, 'before');
  await eventually(() => expect(readFileSync(file, 'utf8')).toContain('before-9'));
  truncateSync(file);
  await flood(server, 10, 'after');
  await server.kill('SIGTERM');
  expect(linesOf(readFileSync(file, 'utf8')).map(({ requestId }) => requestId)).toEqual(
    Array.from({ length: 10 }, (_, i) => `after-${i}`),
  );
});

it('answers everybody when a terminal is stopped (X)', async () => {
  const env = settingsFor(await emptyDatabase(), { LOG_LEVEL: 'info' });
  const server = await startProcess(env, { terminal: true });
  server.stopReading();
  await flood(server, MANY, 'stopped');
  expect((await server.ask('GET', '/readyz')).status).toBe(200);
});
