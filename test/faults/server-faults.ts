import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { BOTH, type Fault } from '#test/faults/fault';
import type { Load } from '#test/faults/load';
import type { Node, Environment } from '#test/faults/environment';

/**
 * A server that is told to stop answers everything that it was sent in the first half of its notice of a second
 * (DRAIN_NOTICE_MS in src/server-program.ts).
 */
const ANSWERED_MS = 500;

async function stopInOrder({ ledger }: Environment, node: Node): Promise<void> {
  const told = performance.now();
  const before = ledger.unanswered.length;
  const code = await node.end('SIGTERM');
  if (code !== 0) ledger.wrong.push(`it ended with ${code} after SIGTERM`);
  const cut = ledger.unanswered
    .slice(before)
    .filter(({ sentAt, code }) => sentAt < told + ANSWERED_MS && code !== 'ECONNREFUSED');
  if (cut.length > 0) ledger.wrong.push(`${cut.length} requests were cut: ${cut[0]!.code}`);
  await node.start();
}

/** Processes that do nothing but count. They end after a while by themselves. */
const burn = (count: number): ChildProcess[] =>
  Array.from({ length: count }, () =>
    spawn(process.execPath, ['-e', 'const end = Date.now() + 60_000; while (Date.now() < end);']),
  );

const pin = (pid: number, cores: string) =>
  spawnSync('taskset', ['-a', '-cp', cores, String(pid)]).status === 0;

export const serverFaults: readonly Fault[] = [
  {
    id: 'X-12, X-13',
    name: 'server killed',
    engines: BOTH,
    rounds: [3, 20],
    async round({ node, roles }, _load, round) {
      if (round === 0) await roles.prepare();
      const changed = roles.change();
      await sleep(Math.random() * 200);
      await node.end('SIGKILL');
      await node.start();
      await changed;
    },
  },
  {
    id: 'X-14',
    name: 'server told to stop (SIGTERM)',
    engines: BOTH,
    rounds: [1, 10],
    round: (environment) => stopInOrder(environment, environment.node),
  },
  {
    id: 'X-24',
    name: 'three servers restarted one by one',
    engines: BOTH,
    rounds: [1, 5],
    nodes: 3,
    async round(environment, load: Load) {
      for (const node of environment.nodes) {
        await stopInOrder(environment, node);
        await load.acknowledge(10);
      }
    },
  },
  {
    id: 'X-29',
    name: 'server stalls for half a second at a time',
    engines: BOTH,
    async round({ node }) {
      for (let i = 0; i < 3; i++) {
        process.kill(node.server.pid, 'SIGSTOP');
        await sleep(500);
        process.kill(node.server.pid, 'SIGCONT');
        await sleep(100);
      }
    },
  },
  {
    id: 'X-29',
    name: 'server shares one core with four busy processes',
    engines: ['sqlite'],
    rounds: [1, 5],
    missing: () => (spawnSync('which', ['taskset']).status === 0 ? undefined : 'no taskset'),
    async round({ node }, load) {
      const neighbours = burn(4);
      for (const pid of [node.server.pid, ...neighbours.map(({ pid }) => pid!)]) pin(pid, '0');
      await load.acknowledge(30);
      for (const neighbour of neighbours) neighbour.kill('SIGKILL');
      pin(node.server.pid, '0-1023');
    },
  },
  {
    id: 'X-29',
    name: 'server has no file descriptor left',
    engines: BOTH,
    rounds: [1, 10],
    before: 'ulimit -n 80',
    async round({ node }, load) {
      const { hostname, port } = new URL(node.server.url);
      const idle = Array.from({ length: 200 }, () =>
        connect(Number(port), hostname).on('error', () => {}),
      );
      await sleep(500);
      for (const socket of idle) socket.destroy();
      await load.acknowledge(10);
    },
  },
];
