import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { askOnce, bytesOf, load, type Ask } from '#client';
import { createCpuClock } from '#cpu';
import { endAll, newFile, start, startMariaDb, type Running } from '#servers';
import { median } from '#statistics';

/** Whether an operation costs the same with few users and with many. Usage: `node growth.ts [many]`. */
const FEW = 1000;
const MANY = Number(process.argv[2] ?? 2_000_000);
const ROUNDS = 5;
const CONNECTIONS = 10;
/** Few enough that hashes never wait long: a server that is too busy refuses to hash. */
const SIGNING_IN = 2;
/** Of all users, so many are asked about, spread over all. */
const ACTIVE = 300;
const secret = 'correct horse battery staple';
const DAY_MS = 86_400_000;
const cpuOf = createCpuClock();

// Not imported by name: Node reads test/ as it stands, and what was built only when it is there.
const loaded = (name: string) => import(fileURLToPath(new URL(name, import.meta.url)));
const { fillStatements, sessionId, userId } = (await loaded(
  '../test/support/fill.ts',
)) as typeof import('../test/support/fill.js');
const { openSequelize } = (await loaded(
  '../dist/src/platform/database/open.js',
)) as typeof import('../src/platform/database/open.js');
const { openContext } = (await loaded(
  '../dist/src/open-context.js',
)) as typeof import('../src/open-context.js');
const { parseSettings, settingsFrom } = (await loaded(
  '../dist/src/platform/settings/read.js',
)) as typeof import('../src/platform/settings/read.js');
const { tendKeys } = (await loaded(
  '../dist/src/keys/rotation.js',
)) as typeof import('../src/keys/rotation.js');
const { signAccessToken } = (await loaded(
  '../dist/src/sessions/access-tokens.js',
)) as typeof import('../src/sessions/access-tokens.js');
const { refreshTokenOf } = (await loaded(
  '../dist/src/sessions/refresh-tokens.js',
)) as typeof import('../src/sessions/refresh-tokens.js');
const { purgeSessions } = (await loaded(
  '../dist/src/sessions/purge.js',
)) as typeof import('../src/sessions/purge.js');

interface Site {
  server: Running;
  ctx: Awaited<ReturnType<typeof openContext>>;
  /** Processes whose work counts. */
  pids: number[];
  works: Record<string, () => Promise<number>>;
}

/** The tables that have as many rows as there are users. */
const isCounted = (table: string) => ['users', 'user_roles', 'sessions'].includes(table);

/** A server over a database with so many users. */
async function siteWith(count: number, databaseUrl: string, databasePid?: number): Promise<Site> {
  const env = {
    DATABASE_URL: databaseUrl,
    APP_SECRET: randomBytes(32).toString('base64url'),
    BCRYPT_COST: '4',
    LIMITS: 'off',
    LOG_LEVEL: 'silent',
    ACCESS_TOKEN_TTL: '3600',
    PUBLIC_URL: 'http://localhost:3000', // both sign for one issuer
  };
  const ctx = await openContext(parseSettings(settingsFrom(env)));
  const filler = openSequelize(databaseUrl, { noTimeout: true });
  const engine = databasePid === undefined ? 'sqlite' : 'mysql';
  for (const sql of fillStatements(engine, count, isCounted)) await filler.query(sql);
  await filler.close();
  const numbers = Array.from(
    { length: ACTIVE },
    (_, i) => Math.floor((i * count) / ACTIVE / 3) * 3,
  );
  const passwordHash = await ctx.passwords.hash(secret);
  for (const i of numbers) await ctx.db.User.update({ passwordHash }, { where: { id: userId(i) } });
  await ctx.db.UserRole.create({
    userId: userId(0),
    roleId: (await ctx.db.Role.findOne({ where: { name: 'admin' }, rejectOnEmpty: true })).id,
  });
  await tendKeys(ctx);
  const server = await start(`${engine} ${count}`, '../dist/src/server.js', env, '/readyz');
  const pids = [server.child.pid!, ...(databasePid === undefined ? [] : [databasePid])];
  return { server, ctx, pids, works: worksOn(server.url, ctx, numbers) };
}

/** Each does some work and answers how many times. */
function worksOn(url: string, ctx: Site['ctx'], numbers: number[]): Site['works'] {
  const proof = {
    amr: 'pwd',
    aal2At: null,
    authenticatedAt: null,
    createdAt: new Date(),
    dpopKey: null,
  };
  const tokens = numbers.map((i) =>
    signAccessToken(ctx, { id: sessionId(i), userId: userId(i), generation: 0, ...proof }),
  );
  const all = async (requests: number, ask: (i: number) => Ask, connections = CONNECTIONS) => {
    const questions = Array.from({ length: requests }, (_, i) => bytesOf(ask(i)));
    await load({ url, connections, requests, ask: (_connection, i) => questions[i]! });
    return requests;
  };
  const at = <T>(list: readonly T[], i: number) => list[(i * 7) % list.length]!;
  const admin = (path: string) => () => ({ method: 'GET', path, token: tokens[0] }) as const;
  /** The second page. */
  const behind = async (path: string) => {
    const { body } = await askOnce(url, admin(path)());
    const { nextCursor } = JSON.parse(body) as { nextCursor: string };
    return all(400, admin(`${path}&cursor=${encodeURIComponent(nextCursor)}`));
  };
  let generation = 0;
  return {
    guarded: () => all(6000, (i) => ({ method: 'GET', path: '/me', token: at(tokens, i) })),
    async refresh() {
      const asked = await all(ACTIVE, (i) => ({
        method: 'POST',
        path: '/auth/refresh',
        body: { refreshToken: refreshTokenOf(ctx, { id: sessionId(numbers[i]!), generation }) },
      }));
      generation++;
      return asked;
    },
    login: () =>
      all(
        200,
        (i) => ({
          method: 'POST',
          path: '/auth/login',
          body: { username: `somebody${at(numbers, i)}`, password: secret },
        }),
        SIGNING_IN,
      ),
    'list of users': () => all(400, admin('/admin/users?limit=20')),
    'list by cursor': () => behind('/admin/users?limit=20'),
    'list of a role': () => behind('/admin/users?limit=20&role=user'),
    'own sessions': () =>
      all(400, (i) => ({ method: 'GET', path: '/me/sessions', token: at(tokens, i) })),
    'search, found at once': () => all(60, admin('/admin/users?limit=20&q=somebody')),
    'search, nobody': () => all(30, admin('/admin/users?limit=20&q=nobody-has-this')),
    async 'purge of 1000 sessions'() {
      const made = 1000;
      const old = new Date(Date.now() - 400 * DAY_MS);
      const ids = Array.from({ length: made }, (_, i) => sessionId(10_000_000 + i));
      await ctx.db.Session.bulkCreate(
        ids.map((id) => ({ id, userId: userId(0), strategy: 'local', expiresAt: old })),
      );
      await purgeSessions(ctx);
      return made;
    },
  };
}

/** CPU time of everybody who works, in microseconds. This process purges, so it counts then. */
async function costOf({ pids, works }: Site, name: string): Promise<number> {
  const counted = name.startsWith('purge') ? [...pids, process.pid] : pids;
  const used = () => counted.reduce((sum, pid) => sum + cpuOf(pid), 0);
  const before = used();
  const times = await works[name]!();
  return (used() - before) / times;
}

async function compareOn(engine: string, few: Site, many: Site): Promise<[string, object][]> {
  const rows: [string, object][] = [];
  for (const name of Object.keys(few.works)) {
    const costs = { few: [] as number[], many: [] as number[] };
    for (let i = -1; i < ROUNDS; i++) {
      const pair = [await costOf(few, name), await costOf(many, name)] as const;
      if (i < 0) continue; // warms up
      costs.few.push(pair[0]);
      costs.many.push(pair[1]);
    }
    const ratio = median(costs.many.map((cost, i) => cost / costs.few[i]!));
    rows.push([
      `${engine}, ${name}`,
      {
        [`µs with ${FEW}`]: Math.round(median(costs.few)),
        [`µs with ${MANY}`]: Math.round(median(costs.many)),
        ratio: Number(ratio.toFixed(2)),
      },
    ]);
    console.log(...rows.at(-1)!);
  }
  await few.ctx.close();
  await many.ctx.close();
  return rows;
}

try {
  const rows = await compareOn(
    'SQLite',
    await siteWith(FEW, newFile()),
    await siteWith(MANY, newFile()),
  );
  const server = await startMariaDb([
    '--innodb-buffer-pool-size=2G',
    '--innodb-flush-log-at-trx-commit=0',
  ]);
  if (server)
    rows.push(
      ...(await compareOn(
        'MariaDB',
        await siteWith(FEW, await server.create(), server.pid),
        await siteWith(MANY, await server.create(), server.pid),
      )),
    );
  console.table(Object.fromEntries(rows));
} catch (error) {
  console.error('The bench broke.', error);
  process.exitCode = 1;
} finally {
  await endAll();
}
