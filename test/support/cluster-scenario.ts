import { expect } from 'vitest';
import type { Ask } from '#test/faults/account';
import { Ledger } from '#test/faults/ledger';
import { startLoad } from '#test/faults/load';
import { testSecret } from '#test/support/app';
import { allHosts, type Cluster } from '#test/support/cluster';
import { eventually } from '#test/support/eventually';
import { rowsOf, settingsFor, startProcess, type Running } from '#test/support/process';
import { rounds } from '#test/support/rounds';

/** Every row that must not be lost, in an order that all nodes share. */
const CONTENT = [
  'SELECT id, username_canonical, password_hash FROM users ORDER BY id',
  'SELECT id, user_id, generation, ended_at FROM sessions ORDER BY id',
  'SELECT user_id, role_id FROM user_roles ORDER BY user_id, role_id',
];
const contentOf = (url: string) => Promise.all(CONTENT.map((sql) => rowsOf(url, sql)));

/**
 * A server for each node over one new database, as processes. Each knows every node and prefers its own; with
 * `lonely`, the third one knows no other.
 */
export async function startServers(
  cluster: Cluster,
  env: Record<string, string> = {},
  { lonely = false } = {},
) {
  const urls = await cluster.emptyDatabase();
  const settings = { APP_SECRET: testSecret(), ...env };
  const servers = await Promise.all(
    urls.map((url, i) =>
      startProcess(settingsFor(lonely && i === 2 ? url : allHosts(urls, i), settings)),
    ),
  );
  return { urls, settings, servers: servers as [Running, Running, Running] };
}
export type Servers = Awaited<ReturnType<typeof startServers>>;

/**
 * Kills a database node in the middle of a load, starts it again, and looks for what was acknowledged. These servers are
 * ready while it is dead.
 */
export async function killUnderLoad(
  cluster: Cluster,
  { servers, urls }: Servers,
  killed: number,
  stillReady: readonly Running[] = servers,
): Promise<void> {
  const areReady = async (some: readonly Running[]) => {
    for (const { ask } of some)
      await eventually(async () => expect((await ask('GET', '/readyz')).status).toBe(200), 100);
  };
  const ledger = new Ledger();
  let asked = 0;
  // Whatever is repeated goes to the next server, as a load balancer does.
  const ask: Ask = (...request) => servers[asked++ % servers.length]!.ask(...request);
  const load = startLoad(ledger, ask, 4);
  await load.acknowledge(rounds(40, 400));
  await cluster.kill(killed);
  await load.verify(); // what was acknowledged last
  await areReady(stillReady);
  await load.acknowledge(rounds(40, 400)); // the others go on
  await cluster.start(killed);
  await areReady(servers);
  await load.acknowledge(20);
  await load.verify();
  await load.stop();
  const { lost, wrong, unanswered, refused, acknowledged, signedUp } = ledger;
  expect({ lost, wrong, unanswered }).toEqual({ lost: [], wrong: [], unanswered: [] });
  await eventually(async () => {
    const [first, ...others] = await Promise.all(urls.map(contentOf));
    for (const each of others) expect(each).toEqual(first);
  }, 100);
  const users = new Set((await rowsOf(urls[0]!, 'SELECT username FROM users')).map(nameOf));
  expect([...signedUp].filter((name) => !users.has(name))).toEqual([]);
  if (process.env['REPORT'])
    console.info(`node ${killed + 1} killed: ${acknowledged} acknowledged, ${refused} times 503`);
}

const nameOf = ({ username }: Record<string, unknown>) => String(username);
