import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { whenFileDone } from '#test/support/when-done';

export const redisIsHere = spawnSync('which', ['redis-server']).status === 0;
if (!redisIsHere) {
  const line =
    'Redis is not on this machine (redis-server), so limits are tested in databases only. Install redis-server.';
  if (process.env['CI']) throw new Error(line);
  console.warn(`\n!!! ${line}\n`);
}

/** A Redis on this port, from `start` on. It stores nothing, and ends with the test file. */
export function redisOn(port: number) {
  let child: ChildProcess | undefined;
  const kill = async () => {
    const gone = new Promise((resolve) => void child?.once('exit', resolve));
    if (child?.kill('SIGKILL')) await gone;
  };
  process.once('exit', () => child?.kill('SIGKILL'));
  whenFileDone(kill);
  return {
    url: `redis://127.0.0.1:${port}`,
    start: async () => {
      const options = [
        '--port',
        String(port),
        '--bind',
        '127.0.0.1',
        '--save',
        '',
        '--appendonly',
        'no',
        '--dir',
        process.cwd(),
      ];
      child = spawn('redis-server', options, { stdio: 'ignore' });
      while (!(await answers(port))) await sleep(10);
    },
    kill,
    freeze: () => child?.kill('SIGSTOP'),
    thaw: () => child?.kill('SIGCONT'),
  };
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'));
    socket.once('data', (bytes) => {
      socket.destroy();
      resolve(bytes.toString().startsWith('+PONG'));
    });
    socket.once('error', () => resolve(false));
  });
