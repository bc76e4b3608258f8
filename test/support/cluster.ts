import type { ChildProcess } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { Connection } from 'mysql2/promise';

export interface ClusterNode {
  /** URL of the server, without a database. */
  url: string;
  /** A connection to it, as root. It ends with the node. */
  root: Connection;
}

/** Three database servers of our own that replicate to each other. */
export interface Cluster {
  nodes: [ClusterNode, ClusterNode, ClusterNode];
  /** URLs of a new database, one for each node. It is there on every node. */
  emptyDatabase(): Promise<string[]>;
  /** Ends a node as a power cut would. */
  kill(index: number): Promise<void>;
  /** Starts it again. It joins the others. */
  start(index: number): Promise<void>;
  stop(): Promise<void>;
}

interface Parts {
  /** Everything of the nodes is in it. It goes with them. */
  folder: string;
  /** The process of each node, as it was started last. `startAt` puts it there. */
  children: ChildProcess[];
  startAt: (index: number, first?: boolean) => Promise<ClusterNode>;
  /** The node that takes writes. Without it, each does. */
  writerOf?: (nodes: Cluster['nodes']) => Promise<number>;
}

/** Starts three nodes, the first of them alone. They end with this process, whatever ends that. */
export async function openCluster(parts: Parts): Promise<Cluster> {
  const { folder, children, startAt, writerOf = async () => 0 } = parts;
  process.once('exit', () => children.forEach((child) => child.kill('SIGKILL')));
  const nodes: Cluster['nodes'] = [
    await startAt(0, true),
    ...(await Promise.all([startAt(1), startAt(2)])),
  ];
  let made = 0;
  return {
    nodes,
    async emptyDatabase() {
      const name = `app${++made}`;
      await nodes[await writerOf(nodes)]!.root.query(`CREATE DATABASE ${name}`);
      return nodes.map(({ url }) => `${url}/${name}`);
    },
    async kill(index) {
      nodes[index]!.root.destroy();
      await endOf(children[index]!);
    },
    async start(index) {
      nodes[index] = await startAt(index);
    },
    async stop() {
      for (const { root } of nodes) root.destroy();
      await Promise.all(children.map(endOf));
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function endOf(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** One DATABASE_URL that names all of them, beginning with this one. */
export function allHosts(urls: readonly string[], first: number): string {
  const inTurn = [...urls.slice(first), ...urls.slice(0, first)].map((url) => new URL(url));
  const { username, pathname } = inTurn[0]!;
  return `mysql://${username}@${inTurn.map(({ host }) => host).join()}${pathname}`;
}
