import type { Ledger } from '#test/faults/ledger';
import { until } from '#test/faults/load';
import type { Engine, Environment } from '#test/faults/environment';

const HALF =
  'SELECT u.username FROM users u LEFT JOIN user_roles r ON r.user_id = u.id WHERE r.user_id IS NULL';
const TWICE =
  'SELECT username_canonical FROM users WHERE username_canonical IS NOT NULL GROUP BY username_canonical HAVING COUNT(*) > 1';
const probe = { username: 'probe', password: 'correct horse battery' };

/** Waits until every server reads and writes again. Answers how long that took, in milliseconds. */
export async function recovery({ nodes, ledger }: Environment): Promise<number> {
  for (const node of nodes)
    await until('a server has recovered', async () => {
      const { username, password } = probe;
      const ready = await ledger.hear(() => node.ask('GET', '/readyz'));
      if (ready?.status !== 200) return false;
      const signUp = await ledger.hear(() => node.ask('POST', '/auth/register', { body: probe }));
      if (!signUp) return false;
      const body = { identifier: username, password };
      return (await ledger.hear(() => node.ask('POST', '/auth/login', { body })))?.status === 200;
    });
  return performance.now() - ledger.mendedAt;
}

/** What must hold in the database, whatever happened: nothing acknowledged is missing, and nothing is half there. */
export async function checkDatabase(
  environment: Environment,
  engine: Engine,
  ledger: Ledger,
): Promise<void> {
  const users = new Set((await environment.rows('SELECT username FROM users')).map(nameOf));
  for (const name of ledger.signedUp) if (!users.has(name)) ledger.lost.push(`sign-up of ${name}`);
  for (const row of await environment.rows(HALF)) ledger.lost.push(`${nameOf(row)} has no role`);
  for (const row of await environment.rows(TWICE))
    ledger.lost.push(`two users are called ${String(row['username_canonical'])}`);
  if (engine === 'mariadb') return;
  const [said] = await environment.rows('PRAGMA integrity_check');
  if (said!['integrity_check'] !== 'ok') ledger.lost.push(`integrity: ${JSON.stringify(said)}`);
}

const nameOf = ({ username }: Record<string, unknown>) => String(username);
