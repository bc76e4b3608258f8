import { describe, expect, it } from 'vitest';
import {
  COOKIE,
  HOST_COOKIE,
  cookieOf,
  expectSaid,
  member,
  startAdapters,
  frontEnds,
  type Answer,
} from '#test/support/compat';

const HOME = 'http://localhost:8081';
const APP = 'https://app.example.com';
const EVIL = 'https://evil.example';
const cookies = frontEnds[1]!;

const atHome = await startAdapters('bezkoder,zohaib,devckano');
const abroad = await startAdapters('bezkoder,zohaib,devckano', { ALLOWED_ORIGINS: APP });
const proxied = await startAdapters('bezkoder', { PUBLIC_URL: 'https://auth.example.com' });
const open = await startAdapters('bezkoder-cookies', {
  HOST: '0.0.0.0',
  LIMITS: 'on',
  BCRYPT_COST: '10',
});
const site = await startAdapters('bezkoder-cookies', {
  ALLOWED_ORIGINS: `${APP},${HOME}`,
  PUBLIC_URL: 'https://auth.example.com',
});

const asksFor = (origin: string, method = 'GET', headers = 'content-type,x-access-token') => ({
  origin,
  'access-control-request-method': method,
  'access-control-request-headers': headers,
});
const allowed = ({ headers }: Answer) => headers.get('access-control-allow-origin');
const credentials = ({ headers }: Answer) => headers.get('access-control-allow-credentials');

describe('a preflight', () => {
  const paths = [
    '/api/test/user',
    '/api/auth/signin',
    '/users/me',
    '/users',
    '/protected',
    '/login',
    '/me',
  ];
  const preflight = ({ say }: typeof atHome, origin: string, path: string) =>
    say('OPTIONS', path, { headers: asksFor(origin) });

  it.each(paths)(
    'from where the tutorials’ front ends run is allowed x-access-token at %s',
    async (path) => {
      const answer = await preflight(atHome, HOME, path);
      expect([answer.status, allowed(answer), credentials(answer)]).toEqual([204, HOME, null]);
      expect(
        answer.headers.get('access-control-allow-headers')!.toLowerCase().split(','),
      ).toContain('x-access-token');
      expect(answer.headers.get('vary')).toContain('Origin');
    },
  );

  it.each([
    EVIL,
    'null',
    'http://localhost',
    'http://localhost:8080',
    'https://localhost:8081',
    'http://127.0.0.1:8081',
    APP,
  ])('from %s is not', async (origin) => {
    for (const path of paths)
      expect(allowed(await preflight(atHome, origin, path)), path).toBeNull();
  });

  it('from there is not, when the server is known to the world by another name', async () => {
    for (const path of ['/api/auth/signin', '/me'])
      expect(allowed(await preflight(proxied, HOME, path)), path).toBeNull();
  });

  it('is allowed to those in ALLOWED_ORIGINS alone, when there are any', async () => {
    for (const path of paths) {
      expect(allowed(await preflight(abroad, APP, path)), path).toBe(APP);
      for (const origin of [HOME, EVIL])
        expect(allowed(await preflight(abroad, origin, path)), path).toBeNull();
    }
  });

  it('is allowed to nobody by default, where the server is not for this machine alone', async () => {
    for (const origin of [HOME, EVIL])
      expect(allowed(await preflight(open, origin, '/api/test/user'))).toBeNull();
  });
});

it('lets pages of the right origin read answers and refusals, without credentials', async () => {
  const { say } = atHome;
  for (const [origin, seen] of [
    [HOME, HOME],
    [EVIL, null],
  ] as const) {
    const headers = { origin };
    const answers = [
      await say('GET', '/api/test/all', { headers }),
      await say('GET', '/api/test/user', { headers }),
      await say('POST', '/api/auth/signin', { headers, raw: '{' }),
      await say('PUT', '/api/auth/signin', { headers }),
      await say('POST', '/api/auth/signin', { headers, json: { username: 'x', password: 'x' } }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 403, 415, 405, 401]);
    for (const answer of answers) {
      expect([allowed(answer), credentials(answer)]).toEqual([seen, null]);
      expect(answer.headers.get('vary')).toContain('Origin');
    }
  }
});

describe('bezkoder-cookies across origins', () => {
  const { say, ask, unusedName, User, Session, find } = site;
  const post = (path: string, origin: string, more: object = {}) =>
    say('POST', path, {
      json: {},
      ...more,
      headers: { origin, ...(more as { headers?: object }).headers },
    });
  const newcomer = () => cookies.newcomer(unusedName());
  const sent = (fields: Record<string, string>) => ({ json: fields });
  /** A member, and the cookie as a browser sends it to https. */
  const memberHere = async () => {
    const { signedIn, fields, where } = await member(site, cookies, unusedName());
    return { fields, where, cookie: `${HOST_COOKIE}=${cookieOf(signedIn)[HOST_COOKIE]}` };
  };
  const forbidden = { message: 'You are not allowed to do this.' };

  it.each([APP, HOME])(
    'echoes exactly %s, with credentials, on its own paths only',
    async (origin) => {
      const mine = [
        '/',
        '/api/auth/signup',
        '/api/auth/signin',
        '/api/auth/signout',
        '/api/auth/refreshtoken',
        '/api/test/all',
        '/api/test/user',
        '/API/Test/User/',
      ];
      for (const path of mine)
        for (const answer of [
          await say('OPTIONS', path, { headers: asksFor(origin, 'POST') }),
          await say('GET', path, { headers: { origin } }),
        ]) {
          expect([path, allowed(answer), credentials(answer)]).toEqual([path, origin, 'true']);
          expect(answer.headers.get('vary')).toContain('Origin');
        }
      for (const path of ['/me', '/auth/login', '/auth/refresh', '/admin/users', '/api']) {
        const answer = await ask('OPTIONS', path, { headers: asksFor(origin) });
        expect([
          path,
          allowed({ ...answer, type: '' }),
          credentials({ ...answer, type: '' }),
        ]).toEqual([path, origin, null]);
      }
    },
  );

  it.each([
    EVIL,
    'null',
    'https://app.example.com.evil.example',
    'http://app.example.com',
    'https://APP.example.com',
  ])('gives %s nothing to read', async (origin) => {
    const { headers } = await member(site, cookies, unusedName());
    const answers = [
      await say('OPTIONS', '/api/auth/signin', { headers: asksFor(origin, 'POST') }),
      await say('GET', '/api/test/user', { headers: { ...headers, origin } }),
      await say('POST', '/api/auth/signin', {
        headers: { origin },
        json: { username: 'x', password: 'x' },
      }),
    ];
    for (const answer of answers) {
      expect(allowed(answer)).toBeNull();
      expect(answer.headers.get('vary')).toContain('Origin');
    }
  });

  it.each([EVIL, 'null', 'https://auth.example.com.evil.example', 'http://auth.example.com'])(
    'refuses what would change something, when %s asks for it, and changes nothing',
    async (origin) => {
      const { cookie, fields, where } = await memberHere();
      const headers = { cookie };
      const { id } = await find(where);
      const before = [
        await User.count(),
        await Session.count({ where: { ...Session.live(new Date()) } }),
      ];
      await expectSaid(post('/api/auth/signup', origin, sent(newcomer())), 403, forbidden);
      await expectSaid(
        post('/api/auth/signup', origin, { json: undefined, form: newcomer() }),
        403,
        forbidden,
      );
      const { username, password } = fields;
      const entered = await expectSaid(
        post('/api/auth/signin', origin, sent({ username: username!, password: password! })),
        403,
        forbidden,
      );
      const left = await expectSaid(post('/api/auth/signout', origin, { headers }), 403, forbidden);
      for (const answer of [entered, left]) expect(answer.headers.getSetCookie()).toEqual([]);
      expect([
        await User.count(),
        await Session.count({ where: { ...Session.live(new Date()) } }),
      ]).toEqual(before);
      expect(await Session.count({ where: { userId: id, ...Session.live(new Date()) } })).toBe(1);
      await expectSaid(say('GET', '/api/test/user', { headers }), 200, 'User Content.');
    },
  );

  it.each([APP, HOME, 'https://auth.example.com'])(
    'does it for %s, from sign-up to sign-out',
    async (origin) => {
      const fields = newcomer() as { username: string; email: string; password: string };
      await expectSaid(post('/api/auth/signup', origin, sent(fields)), 201, {
        message: 'User registered successfully!',
      });
      const { username, password } = fields;
      const answer = await post('/api/auth/signin', origin, sent({ username, password }));
      const cookie = cookieOf(answer);
      expect(cookie).toEqual({
        [HOST_COOKIE]: expect.stringMatching(/^ey/),
        Path: '/',
        HttpOnly: 'HttpOnly',
        Secure: 'Secure',
        SameSite: 'Strict',
      });
      const headers = { cookie: `${HOST_COOKIE}=${cookie[HOST_COOKIE]!}` };
      await expectSaid(
        say('GET', '/api/test/user', { headers: { ...headers, origin } }),
        200,
        'User Content.',
      );
      const out = await expectSaid(post('/api/auth/signout', origin, { headers }), 200, {
        message: "You've been signed out!",
      });
      const gone = cookieOf(out);
      expect([
        gone[HOST_COOKIE],
        gone['Secure'],
        gone['Path'],
        new Date(gone['Expires']!).getTime(),
      ]).toEqual(['', 'Secure', '/', 0]);
      await expectSaid(say('GET', '/api/test/user', { headers }), 401, {
        message: 'Unauthorized!',
      });
    },
  );

  it('reads no cookie of the name without __Host-, which a neighbouring domain can plant', async () => {
    const { cookie } = await memberHere();
    const planted = cookie.replace(HOST_COOKIE, COOKIE);
    await expectSaid(say('GET', '/api/test/user', { headers: { cookie: planted } }), 403, {
      message: 'No token provided!',
    });
    for (const both of [`${COOKIE}=x; ${cookie}`, `${cookie}; ${COOKIE}=x`])
      await expectSaid(
        say('GET', '/api/test/user', { headers: { cookie: both } }),
        200,
        'User Content.',
      );
    await expectSaid(
      say('GET', '/api/test/user', { headers: { cookie: `${cookie}; ${cookie}` } }),
      403,
      { message: 'No token provided!' },
    );
    // Nor does it end the session in it.
    await post('/api/auth/signout', APP, { headers: { cookie: planted } });
    await expectSaid(say('GET', '/api/test/user', { headers: { cookie } }), 200, 'User Content.');
  });

  it.each<[Record<string, string>, boolean]>([
    [{}, true],
    [{ 'sec-fetch-site': 'same-origin' }, true],
    [{ 'sec-fetch-site': 'none' }, true],
    [{ 'sec-fetch-site': 'same-origin', origin: 'https://auth.example.com' }, true],
    [{ 'sec-fetch-site': 'same-site', origin: APP }, true],
    [{ 'sec-fetch-site': 'cross-site', origin: HOME }, true],
    [{ 'sec-fetch-site': 'same-site' }, false],
    [{ 'sec-fetch-site': 'cross-site' }, false],
    [{ 'sec-fetch-site': 'Cross-Site' }, false],
    [{ 'sec-fetch-site': 'unheard-of' }, false],
    [{ 'sec-fetch-site': '' }, false],
    [{ 'sec-fetch-site': 'same-site', origin: 'https://auth.example.com' }, false],
    [{ 'sec-fetch-site': 'cross-site', origin: 'https://auth.example.com' }, false],
    [{ 'sec-fetch-site': 'same-site', origin: 'https://blog.example.com' }, false],
    [{ 'sec-fetch-site': 'same-origin', origin: EVIL }, false],
    [{ 'sec-fetch-site': 'none', origin: 'null' }, false],
  ])('from %j changes something: %s', async (from, may) => {
    const { fields, where, cookie } = await memberHere();
    const { username, password } = fields as { username: string; password: string };
    const { id } = await find(where);
    const sessions = () => Session.count({ where: { userId: id, ...Session.live(new Date()) } });
    const users = await User.count();
    const ways = [{ json: newcomer() }, { form: newcomer() }];
    const expected = [may ? 201 : 403, may ? 201 : 403];
    const statuses = [];
    for (const way of ways)
      statuses.push((await say('POST', '/api/auth/signup', { ...way, headers: from })).status);
    expect(statuses).toEqual(expected);
    expect((await User.count()) - users).toBe(may ? 2 : 0);
    const headers = { ...from, cookie };
    const signIn = await say('POST', '/api/auth/signin', {
      headers,
      form: { username, password },
    });
    expect([signIn.status, signIn.headers.getSetCookie().length]).toEqual(
      may ? [200, 2] : [403, 0],
    );
    const held = signIn.headers.getSetCookie().map((line) => line.split(';')[0]);
    const refresh = await say('POST', '/api/auth/refreshtoken', {
      headers: { ...from, cookie: held.join('; ') },
    });
    expect([refresh.status, refresh.headers.getSetCookie().length]).toEqual(
      may ? [200, 1] : [403, 0],
    );
    expect(await sessions()).toBe(may ? 2 : 1);
    const out = await say('POST', '/api/auth/signout', { headers });
    expect([out.status, out.headers.getSetCookie().length]).toEqual(may ? [200, 2] : [403, 0]);
    expect(await sessions()).toBe(1);
    // Nothing changes by being looked at, wherever the link to it stands.
    for (const method of ['GET', 'HEAD'])
      for (const path of ['signin', 'signout', 'signup', 'refreshtoken'])
        expect((await fetch(`${site.url}/api/auth/${path}`, { method, headers })).status).toBe(405);
    expect(await sessions()).toBe(1);
  });

  it('knows the origin of a PUBLIC_URL with a path', async () => {
    const nested = await startAdapters('bezkoder-cookies', {
      PUBLIC_URL: 'https://example.com/identity',
    });
    const { signedIn, fields } = await member(nested, cookies, 'ada');
    expect(cookieOf(signedIn)).toMatchObject({
      [HOST_COOKIE]: expect.stringMatching(/^ey/),
      Path: '/',
      Secure: 'Secure',
    });
    const { username, password } = fields;
    for (const [origin, status] of [
      ['https://example.com', 200],
      [EVIL, 403],
    ] as const) {
      const headers = { origin };
      const answer = await nested.say('POST', '/api/auth/signin', {
        headers,
        json: { username, password },
      });
      expect([origin, answer.status]).toEqual([origin, status]);
    }
  });

  it('is Secure only where PUBLIC_URL is https', async () => {
    const { signedIn } = await member(open, cookies, 'ada');
    expect(cookieOf(signedIn)).not.toHaveProperty('Secure');
    expect(cookieOf(signedIn)).toMatchObject({ HttpOnly: 'HttpOnly', SameSite: 'Strict' });
  });
});
