import bcrypt from 'bcrypt';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { isMembersOnly } from '#src/platform/http/route';
import { password } from '#test/support/app';
import { SECOND, wait } from '#test/support/clock';
import { eventually } from '#test/support/eventually';
import { startLimited, statuses, times } from '#test/support/limited';
import { statementsOf } from '#test/support/statements';

const { ctx, adapters, ask, from, logIn, member, routes, signUp, unused, url, Limit, User } =
  await startLimited({
    DIALECTS: 'bezkoder-cookies,zohaib,devckano',
  });

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Ten at once: more than the queue for hashes takes would be refused by it, and not counted. */
async function inBatches<T>(times: number, work: (i: number) => Promise<T>): Promise<T[]> {
  const done: T[] = [];
  while (done.length < times) {
    const first = done.length;
    const size = Math.min(10, times - first);
    done.push(...(await Promise.all(Array.from({ length: size }, (_, i) => work(first + i)))));
  }
  return done;
}

describe('signing in from one network', () => {
  it('is refused after 30 attempts in a minute, before anything is hashed, and let in when it is over', async () => {
    const ip = unused();
    wait(0);
    const ada = await member();
    expect(statuses(await times(30, () => logIn(ip)))).toEqual([401]);
    const compare = vi.spyOn(bcrypt, 'compare');
    const refused = await logIn(ip, ada.username, password);
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited', action: 'wait' } });
    expect(compare).not.toHaveBeenCalled();
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'retry-after': '60',
      ratelimit: '"sign-in-network-60";r=0;t=60',
      'ratelimit-policy': '"sign-in-network-60";q=30;w=60, "sign-in-network-3600";q=300;w=3600',
    });
    expect((await logIn(unused(), ada.username, password)).status).toBe(200);
    wait(30 * SECOND);
    expect((await logIn(ip)).headers.get('retry-after')).toBe('30');
    wait(29.5 * SECOND);
    expect((await logIn(ip)).headers.get('retry-after')).toBe('1');
    wait(0.5 * SECOND);
    expect((await logIn(ip, ada.username, password)).status).toBe(200);
  });

  it('is refused after 300 attempts in an hour', async () => {
    const ip = unused();
    wait(0);
    await logIn(ip);
    const inAnHour = (await Limit.findAll()).filter(
      ({ resetsAt, hits }) => hits === 1 && resetsAt - Date.now() > 3_590_000,
    );
    await Limit.update({ hits: 298 }, { where: { id: inAnHour.map(({ id }) => id) } });
    expect(statuses(await times(2, () => logIn(ip)))).toEqual([401]);
    expect((await logIn(ip)).headers.get('ratelimit')).toBe('"sign-in-network-3600";r=0;t=3600');
  });

  it('is not forgiven for signing in now and then (L-12)', async () => {
    const [ip, eve] = [unused(), await member()];
    wait(0);
    for (let i = 0; i < 15; i++) {
      expect((await logIn(ip, eve.username, password)).status).toBe(200);
      expect(statuses(await times(2, () => logIn(ip)))).toEqual([401]);
    }
    expect((await logIn(ip, eve.username, password)).status).toBe(429);
  });

  it('of many at once lets exactly 30 pass', async () => {
    const ip = unused();
    const answers = await inBatches(40, () => logIn(ip));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(10);
  });

  it('counts the addresses of an IPv6 /64 as one, and those beside it apart (L-05)', async () => {
    const attempts = await inBatches(31, (i) => logIn(`2001:db8:0:1:${i.toString(16)}::${i + 1}`));
    expect(attempts.filter(({ status }) => status === 429)).toHaveLength(1);
    expect((await logIn('2001:DB8:0:1:ffff:ffff:ffff:ffff')).status).toBe(429);
    expect((await logIn('2001:db8:0:2::1')).status).toBe(401);
  });

  it('takes an IPv4 address that is written as IPv6 for itself', async () => {
    const ip = unused();
    await times(30, () => logIn(ip));
    expect((await logIn(`::ffff:${ip}`)).status).toBe(429);
    const hex = ip.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
    expect(
      (await logIn(`::ffff:${hex.slice(0, 2).join('')}:${hex.slice(2).join('')}`)).status,
    ).toBe(429);
  });

  it('asks the store once a second at most while it knows that there are too many', async () => {
    const ip = unused();
    wait(0);
    const news: object[] = [];
    const stopListening = ctx.events.on('limit.reached', (event) => void news.push(event));
    await times(31, () => logIn(ip));
    const statements = statementsOf(User.sequelize);
    expect(statuses(await times(5, () => logIn(ip)))).toEqual([429]);
    expect(statements).toEqual([]);
    wait(1 * SECOND);
    expect((await logIn(ip)).status).toBe(429);
    const asked = statements.length;
    expect(asked).toBeGreaterThan(0);
    expect(statuses(await times(5, () => logIn(ip)))).toEqual([429]);
    expect(statements).toHaveLength(asked);
    stopListening();
    expect(news).toEqual([{ limit: 'sign-in', ip }]);
  });

  it('counts nothing that is no attempt: a body that is not understood', async () => {
    const ip = unused();
    const before = await Limit.count();
    expect(
      statuses(
        await times(35, () =>
          ask('POST', '/auth/login', { body: { identifier: 'ada' }, ...from(ip) }),
        ),
      ),
    ).toEqual([400]);
    expect(await Limit.count()).toBe(before);
    expect((await logIn(ip)).status).toBe(401);
  });
});

it('a network registers ten users in an hour', async () => {
  const ip = unused();
  wait(0);
  expect(statuses(await times(10, () => signUp(ip)))).toEqual([201]);
  const users = await User.count();
  const refused = await signUp(ip);
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '3600']);
  expect(await User.count()).toBe(users);
  expect((await signUp(unused())).status).toBe(201);
  wait(3600 * SECOND);
  expect((await signUp(ip)).status).toBe(201);
});

it('tries to register names that are taken ten times in an hour', async () => {
  const ip = unused();
  const { username } = await member();
  expect(statuses(await times(10, () => signUp(ip, { username })))).toEqual([409]);
  expect((await signUp(ip, { username })).status).toBe(429);
});

describe('refreshing', () => {
  const refresh = (refreshToken: string, ip: string) =>
    ask('POST', '/auth/refresh', { body: { refreshToken }, ...from(ip) });

  it('is refused to a session after 30 times in a minute, wherever it is asked from, and ends nothing', async () => {
    const [{ tokens }, bob] = [await member(), await member()];
    wait(0);
    expect(statuses(await times(30, () => refresh(tokens.refreshToken, unused())))).toEqual([200]);
    const refused = await refresh(tokens.refreshToken, unused());
    expect([refused.status, refused.headers.get('ratelimit')]).toEqual([
      429,
      '"refresh-session-60";r=0;t=60',
    ]);
    expect((await refresh(bob.tokens.refreshToken, unused())).status).toBe(200);
    wait(60 * SECOND);
    expect((await refresh(tokens.refreshToken, unused())).status).toBe(200);
  });

  it('counts no token that is not ours', async () => {
    const ip = unused();
    const { tokens } = await member();
    const before = await Limit.count();
    const forged = `${tokens.refreshToken.slice(0, -6)}AAAAAA`;
    expect(statuses(await times(40, () => refresh(forged, ip)))).toEqual([400]);
    expect(await Limit.count()).toBe(before);
    expect((await refresh(tokens.refreshToken, ip)).status).toBe(200);
  });
});

describe('guessing the own password with a token', () => {
  it('is refused after ten times in 15 minutes, on both routes together', async () => {
    const eve = await member();
    const change = () =>
      ask('PUT', '/me/password', {
        token: eve.token,
        body: { currentPassword: 'a guess', newPassword: 'another horse' },
        ...from(unused()),
      });
    const leave = (secret: string) =>
      ask('DELETE', '/me', { token: eve.token, body: { password: secret }, ...from(unused()) });
    expect(statuses(await times(5, change))).toEqual([401]);
    expect(statuses(await times(5, () => leave('a guess')))).toEqual([401]);
    expect((await leave(password)).status).toBe(429);
    expect((await change()).headers.get('ratelimit')).toMatch(/^"password-session-900";r=0;t=\d+$/);
    expect((await ask('GET', '/me', { token: eve.token, ...from(unused()) })).status).toBe(200);
  });
});

describe('anything else', () => {
  it('is refused to a network after 300 requests in a minute, and writes one entry for it', async () => {
    const [ip, ada] = [unused(), await member()];
    wait(0);
    const statements = statementsOf(User.sequelize);
    const forged = `${ada.token.slice(0, -6)}AAAAAA`;
    expect(statuses(await times(200, () => ask('GET', '/nowhere', from(ip))))).toEqual([404]);
    expect(statuses(await times(50, () => ask('GET', '/me', from(ip))))).toEqual([401]);
    expect(
      statuses(await times(50, () => ask('GET', '/me', { token: forged, ...from(ip) }))),
    ).toEqual([401]);
    expect(statements.filter((sql) => /limits/.test(sql))).toEqual([]);
    statements.length = 0;
    const origin = 'http://localhost:8081';
    const refused = await ask('GET', '/me', {
      token: forged,
      headers: { 'x-forwarded-for': ip, origin },
    });
    expect(refused).toMatchObject({ status: 429, body: { code: 'rate_limited', action: 'wait' } });
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'retry-after': '60',
      ratelimit: '"anything-network-60";r=0;t=60',
      'ratelimit-policy': '"anything-network-60";q=300;w=60',
      'access-control-allow-origin': origin,
    });
    expect(refused.headers.get('access-control-expose-headers')).toMatch(
      /Retry-After,RateLimit,RateLimit-Policy/,
    );
    await eventually(() => expect(statements).toHaveLength(1));
    expect(statements[0]).toMatch(/^INSERT INTO audit_entries /);
    const adapted = await fetch(`${url}/users/me`, from(ip));
    expect([adapted.status, await adapted.json()]).toEqual([
      429,
      { msg: 'There were too many attempts. Please try again in 1 minute.' },
    ]);
    for (const path of ['/livez', '/readyz'])
      expect((await ask('GET', path, from(ip))).status).toBe(200);
    expect((await ask('GET', '/me', { token: ada.token, ...from(unused()) })).status).toBe(200);
    wait(60 * SECOND);
    expect((await ask('GET', '/me', { token: ada.token, ...from(ip) })).status).toBe(200);
  });
});

describe('every route that strangers may call', () => {
  const CLASSES: Record<string, string> = {
    'POST /auth/email/restore': 'code',
    'POST /auth/email/verify': 'code',
    'POST /auth/email/verify/resend': 'forgot',
    'POST /auth/exchange': 'code',
    'POST /auth/invitation': 'code',
    'POST /auth/login': 'sign-in',
    'POST /auth/mfa': 'code',
    'POST /auth/mfa/options': 'code',
    'POST /auth/passkey': 'sign-in',
    'POST /auth/passkey/options': 'sign-in',
    'POST /auth/password/forgot': 'forgot',
    'POST /auth/password/reset': 'code',
    'POST /auth/refresh': 'refresh',
    'POST /auth/register': 'sign-up',
    'POST /api/auth/refreshtoken': 'refresh',
    'POST /api/auth/signin': 'sign-in',
    'POST /api/auth/signup': 'sign-up',
    'POST /login': 'sign-in',
    'POST /register': 'sign-up',
    'POST /users': 'sign-up',
    'POST /users/login': 'sign-in',
  };
  /** Routes that cost little. They are counted with everything else. */
  const UNNAMED = [
    'GET /',
    'GET /.well-known/change-password',
    'GET /.well-known/jwks.json',
    'GET /.well-known/oauth-authorization-server',
    'GET /.well-known/passkey-endpoints',
    'GET /api/test/all',
    'GET /auth/strategies',
    'GET /livez',
    'GET /oauth/authorize',
    'GET /readyz',
    'POST /api/auth/signout',
    'POST /auth/logout',
    'POST /oauth/revoke', // counts wrong secrets of services
    'POST /oauth/token', // counts by the grant
  ];

  it('has a class, or costs next to nothing', () => {
    const open = [...routes, ...adapters.flatMap((adapter) => adapter.routes)].filter(
      (route) => !isMembersOnly(route),
    );
    const named = open.map((route) => [
      `${route.method.toUpperCase()} ${route.path}`,
      route.guards.find(({ doc }) => doc.limit)?.doc.limit,
    ]);
    expect(Object.fromEntries(named.filter(([, limit]) => limit))).toEqual(CLASSES);
    expect(named.flatMap(([name, limit]) => (limit ? [] : [name!])).sort()).toEqual(UNNAMED);
  });

  it('counts the routes of compatibility adapters together with the rest, and refuses in their words', async () => {
    const ip = unused();
    await times(10, () => logIn(ip));
    const say = (path: string, body: object) => fetchFrom(ip, path, body);
    for (let i = 0; i < 10; i++) {
      expect(
        (await say('/users/login', { email: 'nobody@example.com', password: 'a guess' })).status,
      ).toBe(401);
      expect((await say('/login', { name: 'nobody', password: 'a guess' })).status).toBe(401);
    }
    const refused = await say('/api/auth/signin', { username: 'nobody', password: 'a guess' });
    expect(refused.status).toBe(429);
    expect(refused.headers.get('retry-after')).toMatch(/^\d+$/);
    expect(await refused.json()).toEqual({
      message: expect.stringMatching(
        /^There were too many attempts\. Please try again in (1 minute|\d\d? seconds)\.$/,
      ),
    });
  });
});

const fetchFrom = (ip: string, path: string, body: object) =>
  fetch(url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-forwarded-for': ip },
    body: JSON.stringify(body),
  });

it('stores neither names nor addresses, and forgets counters that are over', async () => {
  const ip = unused();
  wait(0);
  await logIn(ip, 'ada');
  const rows = await Limit.findAll();
  for (const { id } of rows) expect(id).toMatch(/^[\da-f]{32}$/);
  await Limit.update({ resetsAt: Date.now() - 1 }, { where: { id: rows[0]!.id } });
  await ctx.limits.purge();
  expect(await Limit.count()).toBe(
    rows.filter(({ resetsAt }) => resetsAt > Date.now()).length -
      (rows[0]!.resetsAt > Date.now() ? 1 : 0),
  );
  expect(await Limit.findByPk(rows[0]!.id)).toBeNull();
});
