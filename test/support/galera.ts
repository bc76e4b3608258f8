import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdtempSync, openSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection } from 'mysql2/promise';
import { openCluster, type Cluster, type ClusterNode } from '#test/support/cluster';
import { freePort, initialise } from '#test/support/mysql';

const PROVIDER = '/usr/lib/galera/libgalera_smm.so';
export const galeraIsHere =
  existsSync(PROVIDER) && spawnSync('which', ['rsync', 'mariadbd']).status === 0;

const isRoot = process.getuid?.() === 0;

/** Three Galera nodes of our own, each on an address of its own of the loopback network. */
export async function startCluster(settings: string[] = []): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-galera-'));
  chmodSync(folder, 0o755);
  initialise(join(folder, 'new'));
  const ports = { mysql: await freePort(), group: await freePort(), transfer: await freePort() };
  const children: ChildProcess[] = [];
  const startAt = (index: number, first = false) => {
    const { child, ...node } = startNode(folder, index + 1, ports, [
      ...(first ? ['--wsrep-new-cluster'] : []),
      ...settings,
    ]);
    children[index] = child;
    return synced(node);
  };
  for (const number of [1, 2, 3]) prepareData(folder, number);
  return openCluster({ folder, children, startAt });
}

function prepareData(folder: string, number: number): void {
  const data = join(folder, `data${number}`);
  cpSync(join(folder, 'new'), data, { recursive: true });
  // rsync gives up the rights of root, so the servers must, too.
  if (isRoot) spawnSync('chown', ['-R', 'mysql', data]);
}

const addressOf = (number: number) => `127.0.${(process.pid % 250) + 1}.${number}`;

function startNode(
  folder: string,
  number: number,
  { mysql, group, transfer }: Record<'mysql' | 'group' | 'transfer', number>,
  settings: string[],
) {
  const data = join(folder, `data${number}`);
  const address = addressOf(number);
  const members = [1, 2, 3].map((each) => `${addressOf(each)}:${group}`).join();
  const provider = {
    base_host: address,
    base_port: group,
    'gmcast.listen_addr': `tcp://${address}:${group}`,
    'ist.recv_addr': `${address}:${transfer}`,
    'gcache.size': '16M',
  };
  const log = join(folder, `log${number}`);
  const child = spawn(
    'mariadbd',
    [
      '--no-defaults',
      `--datadir=${data}`,
      `--socket=${join(data, 'socket')}`,
      `--pid-file=${join(data, 'pid')}`,
      `--bind-address=${address}`,
      `--port=${mysql}`,
      '--skip-name-resolve',
      '--binlog-format=ROW',
      '--innodb-autoinc-lock-mode=2',
      '--innodb-flush-log-at-trx-commit=0',
      '--innodb-buffer-pool-size=32M',
      '--innodb-log-file-size=16M',
      '--performance-schema=OFF',
      '--wsrep-on=ON',
      `--wsrep-provider=${PROVIDER}`,
      `--wsrep-cluster-address=gcomm://${members}`,
      `--wsrep-node-name=node${number}`,
      `--wsrep-node-address=${address}:${group}`,
      `--wsrep-provider-options=${Object.entries(provider)
        .map((pair) => pair.join('='))
        .join(';')}`,
      '--wsrep-sst-method=rsync',
      `--wsrep-sst-receive-address=${address}:${transfer + 1}`,
      ...(isRoot ? ['--user=mysql'] : []),
      ...settings,
    ],
    { stdio: ['ignore', 'ignore', openSync(log, 'w')] },
  );
  return { child, log, url: `mysql://root@${address}:${mysql}`, exitCode: () => child.exitCode };
}

/** A node that has joined: before, it refuses every statement. */
async function synced(node: {
  url: string;
  log: string;
  exitCode: () => number | null;
}): Promise<ClusterNode> {
  for (let tries = 0; ; tries++) {
    const root = await createConnection(node.url).catch(() => undefined);
    const state = await root
      ?.query("SHOW STATUS LIKE 'wsrep_local_state_comment'")
      .catch(() => undefined);
    const [row] = (state?.[0] ?? []) as { Value: string }[];
    if (root && row?.Value === 'Synced') return { url: node.url, root };
    root?.destroy();
    if (node.exitCode() !== null || tries > 1200)
      throw new Error(`A Galera node did not start:\n${readFileSync(node.log, 'utf8')}`);
    await sleep(50);
  }
}
