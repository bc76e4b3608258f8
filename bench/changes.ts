import { setTimeout as sleep } from 'node:timers/promises';
import { cli, onMariaDb, onSqlite, post, runBench, start, verdict, type Running } from '#servers';
import { median } from '#statistics';

/**
 * How long after the answer of the auth server a change binds in another service, which guards its routes with sallyport/protect.
 * Usage: `node changes.ts [rounds]`.
 */
const ROUNDS = Number(process.argv[2] ?? 50);
const REQUESTS = 1000;
const TARGET_MS = 1000;
/** The pause before the service is asked again. */
const PAUSE_MS = 2;

const ISSUER = 'http://localhost:3000';
const password = 'correct horse battery staple';

interface Person {
  id: string;
  token: string;
}
interface Place {
  name: string;
  /** Where the service asks, and where things are changed. */
  asked: Running;
  changed: Running;
}

const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
async function must(answering: Promise<Response>): Promise<Record<string, unknown>> {
  const answer = await answering;
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${answer.url} was answered with ${answer.status}: ${text}`);
  return text ? (JSON.parse(text) as Record<string, unknown>) : {};
}
const personIn = ({ accessToken, user }: Record<string, unknown>): Person => ({
  id: (user as { id: string }).id,
  token: accessToken as string,
});
let people = 0;
const signUp = async ({ url }: Running): Promise<Person> =>
  personIn(await must(post(`${url}/auth/register`, { username: `person${++people}`, password })));

async function administrator(server: Running): Promise<Person> {
  await cli(server, ['user', 'create', 'boss', '--email', 'boss@example.com'], password);
  await cli(server, ['role', 'create', 'editor', '--permissions', 'news:write']);
  await cli(server, ['role', 'grant', 'boss', 'admin']);
  const signIn = post(`${server.url}/auth/login`, { identifier: 'boss', password });
  return personIn(await must(signIn));
}

let services = 0;
async function serviceFor({ asked }: Place, admin: Person): Promise<Running> {
  const body = { name: `service-${++services}`, scopes: ['introspect', 'changes'] };
  const made = await must(post(`${asked.url}/admin/services`, body, bearer(admin.token)));
  const service = { id: made['id'], secret: made['secret'] };
  const options = { issuer: ISSUER, url: asked.url, service };
  return start('The service', 'service.ts', { PROTECT: JSON.stringify(options) }, '/asked');
}

/** What is changed of somebody, and how the service answers a route of its own before and afterwards. */
interface Change {
  what: string;
  path: string;
  before: number;
  after: number;
  make: (url: string, somebody: Person, admin: Person) => Promise<Response>;
}
const roleOf =
  (method: string) =>
  (url: string, { id }: Person, admin: Person) =>
    fetch(`${url}/admin/users/${id}/roles/editor`, { method, headers: bearer(admin.token) });
const changes: readonly Change[] = [
  { what: 'a role is granted', path: '/desk', before: 403, after: 200, make: roleOf('PUT') },
  { what: 'a role is revoked', path: '/desk', before: 200, after: 403, make: roleOf('DELETE') },
  {
    what: 'a sign-out',
    path: '/who',
    before: 200,
    after: 401,
    make: (url, { token }) => post(`${url}/auth/logout`, {}, bearer(token)),
  },
  {
    what: 'a user is disabled',
    path: '/who',
    before: 200,
    after: 401,
    make: (url, { id }, { token }) =>
      fetch(`${url}/admin/users/${id}`, {
        method: 'PATCH',
        headers: { 'content-type': 'application/json', ...bearer(token) },
        body: JSON.stringify({ disabled: true }),
      }),
  },
];

async function statusOf({ url }: Running, path: string, { token }: Person): Promise<number> {
  const answer = await fetch(url + path, { headers: bearer(token) });
  await answer.arrayBuffer();
  return answer.status;
}

/** Milliseconds from the answer of the auth server to the first request that the service answers otherwise. */
async function timeOf(
  { before, after, path, make }: Change,
  service: Running,
  { changed }: Place,
  [somebody, admin]: readonly [Person, Person],
): Promise<number> {
  const status = await statusOf(service, path, somebody);
  if (status !== before) throw new Error(`${path} is answered with ${status}, not ${before}`);
  await must(make(changed.url, somebody, admin));
  const begin = performance.now();
  while ((await statusOf(service, path, somebody)) !== after) {
    if (performance.now() - begin > 60_000) throw new Error(`${path} never changes to ${after}`);
    await sleep(PAUSE_MS);
  }
  return performance.now() - begin;
}

/** What the service asks the auth server while it answers so many requests of one session that it knows. */
async function askedMeanwhile(service: Running, somebody: Person): Promise<number> {
  const asked = async () => {
    const { '/oauth/changes': _feed = 0, ...others } = await must(fetch(`${service.url}/asked`));
    return Object.values(others as Record<string, number>).reduce((sum, each) => sum + each, 0);
  };
  await statusOf(service, '/who', somebody);
  const before = await asked();
  for (let i = 0; i < REQUESTS; i++) await statusOf(service, '/who', somebody);
  return (await asked()) - before;
}

async function measure(place: Place, admin: Person): Promise<void> {
  const service = await serviceFor(place, admin);
  const times = changes.map((): number[] => []);
  for (let round = -1; round < ROUNDS; round++) {
    const [somebody, other] = [await signUp(place.changed), await signUp(place.changed)];
    for (const [i, change] of changes.entries()) {
      const subject = change.what === 'a user is disabled' ? other : somebody;
      const ms = await timeOf(change, service, place, [subject, admin]);
      if (round >= 0) times[i]!.push(ms); // the first warms up
      await sleep(Math.random() * 100); // not in step with what the servers do every so often
    }
  }
  const rows = changes.map(({ what }, i) => {
    const sorted = times[i]!.toSorted((a, b) => a - b);
    const [p95, max] = [sorted[Math.ceil(sorted.length * 0.95) - 1]!, sorted.at(-1)!];
    const figures = { median: median(sorted), p95, max };
    const rounded = Object.entries(figures).map(([name, ms]) => [`${name} ms`, Math.round(ms)]);
    const target = verdict(max < TARGET_MS);
    return [what, { ...Object.fromEntries(rounded), [`< ${TARGET_MS} ms`]: target }] as const;
  });
  console.log(`\n${place.name}, ${ROUNDS} rounds`);
  console.table(Object.fromEntries(rows));
  const calls = await askedMeanwhile(service, await signUp(place.changed));
  console.log(
    `${REQUESTS} guarded requests: ${calls} calls to the auth server, ${verdict(calls === 0)}`,
  );
}

const env = { PUBLIC_URL: ISSUER };
await runBench(async () => {
  const sqlite = await onSqlite(env);
  await measure({ name: 'SQLite', asked: sqlite, changed: sqlite }, await administrator(sqlite));
  const mariadb = await onMariaDb(env);
  if (!mariadb) return console.log('MariaDB is not on this machine (mariadbd): not measured.');
  const admin = await administrator(mariadb);
  await measure({ name: 'MariaDB', asked: mariadb, changed: mariadb }, admin);
  const other = await start('Another node', '../dist/src/server.js', mariadb.env, '/readyz');
  const apart = 'MariaDB, changed on another node than the one that the service asks';
  await measure({ name: apart, asked: mariadb, changed: other }, admin);
});
