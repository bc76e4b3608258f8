import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createConnection, type Connection } from 'mysql2/promise';
import { openCluster, type Cluster, type ClusterNode } from '#test/support/cluster';
import { freePort } from '#test/support/mysql';

/** A command that is MySQL's own mysqld, with its plugins: see test/README.md. */
const MYSQLD = process.env['TEST_MYSQLD'];
export const mysqlIsHere = MYSQLD !== undefined;
if (!mysqlIsHere)
  console.warn(
    '\n!!! TEST_MYSQLD names no mysqld of MySQL, so Group Replication is not tested. See test/README.md.\n',
  );

const GROUP = 'aaaaaaaa-aaaa-4aaa-aaaa-aaaaaaaaaaaa';
/** The group takes no address that is not that of a network interface. */
const HOST = '127.0.0.1';
/** Who connects, and who brings a node that joins what it lacks. */
const USERS = `CREATE USER root@'%';
GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;
CREATE USER replicator@'%' IDENTIFIED BY 'replicator';
GRANT REPLICATION SLAVE, CONNECTION_ADMIN, BACKUP_ADMIN, GROUP_REPLICATION_STREAM ON *.* TO replicator@'%';
`;
type Ports = Record<'mysql' | 'group', number[]>;

/** MySQL Group Replication in its single-primary mode: three servers, on ports of loopback. */
export async function startGroup(): Promise<Cluster> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-group-'));
  const ports: Ports = { mysql: [], group: [] };
  for (const list of [ports.mysql, ports.group])
    for (let node = 0; node < 3; node++) list.push(await freePort());
  mkdirSync(join(folder, 'tmp'));
  writeFileSync(join(folder, 'users.sql'), USERS);
  const initialised = spawnSync(
    MYSQLD!,
    [
      '--no-defaults',
      '--initialize-insecure',
      `--datadir=${join(folder, 'new')}`,
      `--init-file=${join(folder, 'users.sql')}`,
    ],
    { encoding: 'utf8' },
  );
  if (initialised.status !== 0) throw new Error(`${MYSQLD}: ${initialised.stderr}`);
  rmSync(join(folder, 'new', 'auto.cnf'), { force: true }); // the identity of a server
  const children: ChildProcess[] = [];
  const startAt = async (index: number, first = false): Promise<ClusterNode> => {
    const child = spawnAt(folder, index, ports);
    children[index] = child;
    const url = `mysql://root@${HOST}:${ports.mysql[index]}`;
    const root = await connected(url, () => child.exitCode, join(folder, `log${index}`));
    await joinGroup(root, first);
    return { url, root };
  };
  for (const index of [0, 1, 2])
    cpSync(join(folder, 'new'), join(folder, `data${index}`), { recursive: true });
  return openCluster({ folder, children, startAt, writerOf: primaryOf });
}

/** The node that may write, as the others know it. */
export async function primaryOf(nodes: Cluster['nodes']): Promise<number> {
  const [rows] = await nodes[0].root.query(
    "SELECT member_port AS port FROM performance_schema.replication_group_members WHERE member_role = 'PRIMARY'",
  );
  const port = Number((rows as { port: number }[])[0]?.port);
  return nodes.findIndex(({ url }) => new URL(url).port === String(port));
}

function spawnAt(folder: string, index: number, { mysql, group }: Ports): ChildProcess {
  const data = join(folder, `data${index}`);
  const seeds = group.map((port) => `${HOST}:${port}`).join();
  const log = openSync(join(folder, `log${index}`), 'a');
  return spawn(
    MYSQLD!,
    [
      '--no-defaults',
      `--datadir=${data}`,
      `--tmpdir=${join(folder, 'tmp')}`,
      `--socket=${join(data, 'socket')}`,
      `--pid-file=${join(data, 'pid')}`,
      `--bind-address=${HOST}`,
      `--port=${mysql[index]}`,
      '--mysqlx=OFF',
      `--server-id=${index + 1}`,
      '--gtid-mode=ON',
      '--enforce-gtid-consistency=ON',
      '--innodb-buffer-pool-size=64M',
      `--report-host=${HOST}`,
      '--plugin-load-add=group_replication.so',
      `--group-replication-group-name=${GROUP}`,
      '--group-replication-start-on-boot=OFF',
      `--group-replication-local-address=${HOST}:${group[index]}`,
      `--group-replication-group-seeds=${seeds}`,
      '--group-replication-recovery-get-public-key=ON',
      '--group-replication-member-expel-timeout=0',
    ],
    { stdio: ['ignore', 'ignore', log] },
  );
}

/** Joins the group, or makes it, and waits until the node is part of it. */
async function joinGroup(root: Connection, first: boolean): Promise<void> {
  const run = async (...lines: string[]) => {
    for (const line of lines) await root.query(line);
  };
  await run(
    "CHANGE REPLICATION SOURCE TO SOURCE_USER = 'replicator', SOURCE_PASSWORD = 'replicator' FOR CHANNEL 'group_replication_recovery'",
    ...(first ? ['SET GLOBAL group_replication_bootstrap_group = ON'] : []),
    'START GROUP_REPLICATION',
    ...(first ? ['SET GLOBAL group_replication_bootstrap_group = OFF'] : []),
  );
  for (let state = ''; state !== 'ONLINE'; await sleep(100)) {
    if (state === 'ERROR') throw new Error('A MySQL server did not join its group');
    const [rows] = await root.query(
      'SELECT member_state AS state FROM performance_schema.replication_group_members WHERE member_id = @@server_uuid',
    );
    state = (rows as { state: string }[])[0]?.state ?? '';
  }
}

async function connected(url: string, exitCode: () => number | null, log: string) {
  for (let tries = 0; ; tries++) {
    try {
      return await createConnection(url);
    } catch (error) {
      if (exitCode() !== null || tries > 1200)
        throw new Error(`A MySQL server did not start:\n${readFileSync(log, 'utf8')}`, {
          cause: error,
        });
      await sleep(50);
    }
  }
}
