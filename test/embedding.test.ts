import { once } from 'node:events';
import { request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import express, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express';
import passport from 'passport';
import { ConnectionError, DataTypes, Sequelize } from 'sequelize';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Sallyport } from '#src/index';
import { createSallyport, Problem } from '#src/index';
import { defineStrategy, custom } from '#src/strategy-kit/strategy';
import { password } from '#test/support/app';
import { asking, embed, host, testOptions } from '#test/support/host';
import { rawRequest } from '#test/support/raw-socket';
import signed from '#test/support/strategies/raw-body/signed';

class Own extends Error {
  readonly status = 418;
}

/** Routes, a parser, an error handler and a 404 of the app. `auth` is missing in the app that we compare with. */
function appWith(basePath: string, auth?: Sallyport): Express {
  const app = express().set('trust proxy', 'loopback').set('query parser', 'extended');
  if (auth) app.use(basePath || '/', auth.router);
  app.use(express.json({ limit: '1mb' }));
  app.get('/hello', (req, res) => res.json({ query: req.query, ip: req.ip, host: req.host }));
  app.post('/echo', (req, res) => res.json(req.body));
  app.get('/cookie', (_req, res) => res.cookie('own', '1').send('<p>own</p>'));
  app.get('/fails', () => {
    throw new Own('what only this app knows');
  });
  app.get('/forbids', () => {
    throw Object.assign(new Error('no'), { status: 403 });
  });
  if (auth) {
    app.get('/account', auth.authenticate(), (req, res) => res.json(req.user));
    app.get('/reports', auth.authenticate(), auth.requireRole('editor'), (_req, res) => {
      res.json({ reports: [] });
    });
    app.get(
      '/invoices',
      auth.authenticate(),
      auth.requirePermission('invoices:read', 'customers:read'),
      (_req, res) => res.json({ invoices: [] }),
    );
    app.get('/secret', auth.authenticate(), auth.requireFresh(5), (_req, res) => {
      res.json({ secret: 1 });
    });
    app.get('/safe', auth.authenticate(), auth.requireAal2(), (_req, res) => {
      res.json({ safe: 1 });
    });
    app.get('/safest', auth.authenticate(), auth.requireAal2(5), (_req, res) => {
      res.json({ safest: 1 });
    });
    const jwt = (options: object = {}) =>
      auth.passport.authenticate('jwt', { session: false, ...options });
    app.get('/passport', jwt(), (req, res) => res.json(req.user));
    app.get('/passport-throws', jwt({ failWithError: true }), (req, res) => res.json(req.user));
    app.get('/passport-local', auth.passport.authenticate('local', { session: false }));
    app.use(auth.errorHandler);
  }
  app.use(((error, _req, res, next) => {
    if (res.headersSent) return next(error);
    const { status = 500, message } = error as { status?: number; message: string };
    res.status(status).send(`own error: ${(error as Error).constructor.name}: ${message}`);
  }) as ErrorRequestHandler);
  app.use((req, res) => void res.status(404).send(`own 404: ${req.method} ${req.originalUrl}`));
  return app;
}

it('makes an HTTP server for the app that answers whatever comes', async () => {
  const auth = await createSallyport(await testOptions());
  const app = express().get('/own', (_req, res) => void res.send('own'));
  const server = auth.createServer(app).listen(0, '127.0.0.1');
  onTestFinished(async () => {
    server.close();
    server.closeAllConnections();
    await auth.close();
  });
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await (await fetch(`${url}/own`)).text()).toBe('own');
  for (const target of ['http://[::1/own', 'http://]/']) {
    const { answers, closed } = await rawRequest(url, `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`);
    expect([answers[0]?.status, closed]).toEqual([400, true]);
    expect(JSON.parse(answers[0]!.body)).toMatchObject({ code: 'invalid_request' });
    expect(answers[0]!.headers.get('x-request-id')).not.toBeNull();
  }
  expect(server.timeout).toBe(30_000);
});

const bare = await host(() => appWith(''));

describe.each(['', '/identity'])('an app with the server at "%s"', async (basePath) => {
  const { auth, app, ask, url } = await embed(basePath, (auth) => appWith(basePath, auth));
  const member = async (name: string) => {
    const user = { username: name, password };
    const { status, body, text } = await ask('POST', `${basePath}/auth/register`, { body: user });
    expect(status, text).toBe(201);
    return body.accessToken as string;
  };

  it('has every answer of its own as without the server, to the last header', async () => {
    const forwarded = { 'x-forwarded-for': '203.0.113.9', origin: 'https://elsewhere.example' };
    const big = { text: 'x'.repeat(500_000) };
    const asked: [string, string, Parameters<typeof ask>[2]?][] = [
      ['GET', '/hello?a[b]=1&a[c]=2'],
      ['GET', '/hello', { headers: forwarded }],
      ['HEAD', '/hello'],
      ['OPTIONS', '/hello', { headers: { ...forwarded, 'access-control-request-method': 'GET' } }],
      ['DELETE', '/hello'],
      ['POST', '/echo', { body: big }],
      ['POST', '/echo', { body: { text: 'x'.repeat(2_000_000) } }],
      ['POST', '/echo', { headers: { 'content-type': 'application/json' } }],
      ['GET', '/cookie'],
      ['GET', '/fails'],
      ['GET', '/forbids'],
      ['GET', '/nothing/here'],
      ['GET', '/'],
      ['GET', '/auth'],
      ['GET', '/auth/nothing'],
      ['GET', '/identity/nothing'],
      ['GET', '/problems'],
      ['GET', '/docs/nothing'],
      ['GET', '/%ff'],
      ['GET', '//livez'],
      ['PROPFIND', '/hello'],
    ];
    for (const [method, path, question] of asked) {
      const seen = await Promise.all(
        [ask, asking(bare.url)].map(async (each) => {
          const { status, headers, text } = await each(method, path, question);
          const { date: _date, ...rest } = Object.fromEntries(headers);
          return { status, text: text.replace(/127\.0\.0\.1:\d+/, ''), headers: rest };
        }),
      );
      const [with_, without] = seen.map((each) => {
        const { etag, 'content-length': length, ...headers } = each.headers;
        return { ...each, headers, has: [etag !== undefined, length !== undefined] };
      });
      expect(with_, `${method} ${path}`).toEqual(without);
    }
  });

  it('keeps its settings', async () => {
    await ask('GET', `${basePath}/livez`);
    expect([app.get('etag'), app.get('query parser'), app.get('trust proxy')]).toEqual([
      'weak',
      'extended',
      'loopback',
    ]);
    expect(app.enabled('x-powered-by')).toBe(true);
  });

  it('answers the routes of the server as the server does', async () => {
    const { status, headers, body } = await ask('GET', `${basePath}/livez`);
    expect([status, body]).toEqual([200, { status: 'ok' }]);
    expect(headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(headers.get('cache-control')).toBe('no-store');
    expect(headers.get('x-request-id')).toMatch(/^[\w-]{36}$/);
    for (const name of ['x-powered-by', 'etag']) expect(headers.has(name), name).toBe(false);
    const wrong = await ask('DELETE', `${basePath}/me`);
    expect([wrong.status, wrong.body.type]).toEqual([401, `${basePath}/problems/token_missing`]);
    const other = await ask('PUT', `${basePath}/me`);
    expect([other.status, other.headers.get('allow')]).toEqual([405, 'DELETE, GET, HEAD, PATCH']);
    const document = await ask('GET', `${basePath}/openapi.json`);
    expect(document.body.servers).toEqual([{ url: `${url}${basePath}` }]);
  });

  it('refuses on its own routes with a problem', async () => {
    const token = await member('ada');
    const stranger = await ask('GET', '/account');
    expect(stranger).toMatchObject({
      status: 401,
      body: {
        type: `${basePath}/problems/token_missing`,
        code: 'token_missing',
        action: 'sign_in',
      },
    });
    expect(stranger.headers.get('www-authenticate')).toBe('Bearer realm="sallyport"');
    expect(stranger.headers.get('content-type')).toBe('application/problem+json; charset=utf-8');
    expect(stranger.headers.get('cache-control')).toBe('no-store');
    expect(stranger.body.requestId).toBe(stranger.headers.get('x-request-id'));
    expect(stranger.headers.has('content-security-policy')).toBe(false);

    const forged = await ask('GET', '/account', { token: `${token}x` });
    expect([forged.status, forged.body.code]).toEqual([401, 'token_invalid']);
    expect(forged.headers.get('www-authenticate')).toMatch(/error="invalid_token"/);

    const refused = await ask('GET', '/reports', { token });
    expect(refused).toMatchObject({
      status: 403,
      body: { code: 'forbidden', required: ['editor'], type: `${basePath}/problems/forbidden` },
    });
    expect(refused.headers.get('www-authenticate')).toMatch(/error="insufficient_scope"/);
    expect((await ask('GET', '/nothing', { token })).text).toBe('own 404: GET /nothing');
  });

  it('lets in whom its guards accept, and knows them', async () => {
    const token = await member('bob');
    const { status, body } = await ask('GET', '/account', { token });
    expect(status).toBe(200);
    const own = await ask('GET', `${basePath}/me`, { token });
    expect(body).toEqual({
      ...own.body,
      factors: 0,
      session: {
        id: expect.any(String),
        strategy: 'local',
        amr: ['pwd'],
        acr: 'aal1',
        authTime: expect.any(Number),
        aal2Time: null,
      },
      scopes: null,
    });
    await auth.roles.create('editor');
    expect(await auth.roles.grant('bob', 'editor')).toBe(true);
    expect((await ask('GET', '/reports', { token })).body).toEqual({ reports: [] });
    await auth.roles.revoke('bob', 'editor');
    expect((await ask('GET', '/reports', { token })).status).toBe(403);
  });

  it('opens by permissions, all of which are needed, whatever the role is called', async () => {
    const token = await member('clerk1');
    const refused = await ask('GET', '/invoices', { token });
    expect(refused).toMatchObject({
      status: 403,
      body: { code: 'forbidden', required: ['invoices:read', 'customers:read'] },
    });
    expect(refused.headers.get('www-authenticate')).toMatch(/error="insufficient_scope"/);
    await auth.roles.create('clerk');
    await auth.roles.grant('clerk1', 'clerk');
    const allow = (permissions: string) =>
      auth.models.Role.update({ permissions }, { where: { name: 'clerk' } });
    for (const [permissions, status] of [
      ['invoices:read', 403],
      ['customers:* invoices:read', 200],
      ['invoices:read', 403],
      ['*', 200],
      ['', 403],
    ] as const) {
      await allow(permissions);
      expect((await ask('GET', '/invoices', { token })).status, permissions).toBe(status);
    }
  });

  it('asks for a recent sign-in with requireFresh', async () => {
    const token = await member('cy');
    expect((await ask('GET', '/secret', { token })).status).toBe(200);
    const before = new Date(Date.now() - 6 * 60_000);
    const { id } = (await auth.users.find('cy'))!;
    const times = { createdAt: before, authenticatedAt: before };
    await auth.models.Session.update(times, { where: { userId: id } });
    const { status, body, headers } = await ask('GET', '/secret', { token });
    expect([status, body.code, body.action]).toEqual([403, 'step_up_required', 'step_up']);
    expect(headers.get('content-type')).toMatch(/^application\/problem\+json/);
    expect(body).toMatchObject({ maxAge: 300 });
    expect(body).not.toHaveProperty('acrValues');
    expect(headers.get('www-authenticate')).toBe(
      'Bearer error="insufficient_user_authentication", max_age="300"',
    );
  });

  it('asks for two factors with requireAal2, which says what is missing (M-18)', async () => {
    const token = await member('eve');
    const { id } = (await auth.users.find('eve'))!;
    const set = (values: object) =>
      auth.models.Session.update(values, { where: { userId: id }, silent: true });
    const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000);
    const asked = async (path: string) => {
      const { status, body, headers } = await ask('GET', path, { token });
      const { code, acrValues, maxAge } = body;
      return { status, code, acrValues, maxAge, challenge: headers.get('www-authenticate') };
    };
    const refused = { status: 403, code: 'step_up_required', acrValues: ['aal2'] };
    const error = 'Bearer error="insufficient_user_authentication", acr_values="aal2"';
    const anyTime = { ...refused, maxAge: undefined, challenge: error };
    const lately = { ...refused, maxAge: 300, challenge: `${error}, max_age="300"` };

    expect(await asked('/safe')).toEqual(anyTime); // fresh, by a password only
    expect(await asked('/safest')).toEqual(lately);
    await set({ aal2At: ago(6), authenticatedAt: ago(1) }); // the password was asked again since
    expect((await asked('/safe')).status).toBe(200);
    expect(await asked('/safest')).toEqual(lately);
    await set({ aal2At: ago(4), authenticatedAt: ago(4) });
    expect((await asked('/safest')).status).toBe(200);
    await set({ aal2At: ago(6), authenticatedAt: ago(6) }); // two factors, too long ago
    expect((await asked('/safe')).status).toBe(200);
    expect((await asked('/secret')).status).toBe(403);
    expect(await asked('/safest')).toEqual(lately);
  });

  it('can use Passport itself', async () => {
    const token = await member('dan');
    const { status, body } = await ask('GET', '/passport', { token });
    expect([status, body.username, body.roles]).toEqual([200, 'dan', ['user']]);
    const refused = await ask('GET', '/passport');
    expect([refused.status, refused.text]).toEqual([401, 'Unauthorized']);
    expect((await ask('GET', '/passport-throws', { token })).status).toBe(200);
    for (const [headers, code] of [
      [{}, 'token_missing'],
      [{ authorization: 'Bearer nonsense' }, 'token_invalid'],
    ] as const) {
      const thrown = await ask('GET', '/passport-throws', { headers });
      expect([thrown.status, thrown.body?.code]).toEqual([401, code]);
      expect(thrown.headers.has('www-authenticate')).toBe(true);
    }
    await auth.users.disable('dan');
    for (const path of ['/passport', '/passport-throws', '/account'])
      expect((await ask('GET', path, { token })).status, path).toBe(401);
    const local = await ask('GET', '/passport-local');
    expect([local.status, local.text]).toEqual([
      500,
      expect.stringMatching(/^own error: Error: The strategy local signs people in: send them to/),
    ]);
    expect(passport).not.toBe(auth.passport);
    expect(Object.keys(Object(Reflect.get(passport, '_strategies')))).toEqual(['session']);
  });
});

describe('the order of the app', async () => {
  const parsers = await embed('', (auth) => {
    const app = express();
    app.use(express.json({ limit: '1mb' }), express.urlencoded({ extended: true }));
    app.use((req, res, next) => {
      res.setHeader('X-Own', 'yes').setHeader('X-Request-Id', 'of-the-app');
      next();
    });
    app.get('/docs', (_req, res) => res.send('own docs'));
    app.use(auth.router);
    app.get('/account', auth.authenticate(), (_req, res) => res.json({ own: true }));
    return app.use(auth.errorHandler);
  });
  const { ask } = parsers;

  it('may be that its parsers come first', async () => {
    const made = await ask('POST', '/auth/register', { body: { username: 'ada', password } });
    expect([made.status, made.headers.get('x-own')]).toEqual([201, 'yes']);
    const login = { identifier: 'ada', password };
    expect((await ask('POST', '/auth/login', { body: login })).status).toBe(200);
    const large = { ...login, password: 'x'.repeat(20_000) };
    expect((await ask('POST', '/auth/login', { body: large })).status).toBe(413);
    const unknown = await ask('POST', '/auth/login', { body: { ...login, other: 1 } });
    expect([unknown.status, unknown.body.code]).toEqual([400, 'invalid_request']);
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await ask('POST', '/auth/login', { headers: form })).status).toBe(400);
  });

  it('may be that its routes come first', async () => {
    expect((await ask('GET', '/docs')).text).toBe('own docs');
    expect((await ask('GET', '/problems/forbidden')).status).toBe(200);
  });

  it('leaves the paths of the tutorials to the app, unless it asks for an adapter', async () => {
    const build = (auth: Sallyport) =>
      express()
        .use(auth.router)
        .get('/users', (_req, res) => res.send('own users'));
    const own = await embed('', build, { dialects: undefined });
    expect((await own.ask('GET', '/users')).text).toBe('own users');
    const asked = await embed('', build, { dialects: ['devckano'] });
    expect((await asked.ask('GET', '/users')).status).toBe(401);
  });

  it('may have a request id of its own', async () => {
    const { status, body, headers } = await ask('GET', '/account');
    expect([status, body.requestId, headers.get('x-request-id')]).toEqual([
      401,
      'of-the-app',
      'of-the-app',
    ]);
  });

  it('may have begun an answer before it fails', async () => {
    const { url } = await embed('', (auth) =>
      express()
        .get('/late', (_req, res) => {
          res.write('begun');
          throw new Problem('forbidden');
        })
        .use(auth.errorHandler)
        .use(((_error, _req, res, _next) =>
          res.end(' and ended by the app')) as ErrorRequestHandler),
    );
    expect(await (await fetch(`${url}/late`)).text()).toBe('begun and ended by the app');
  });

  it('may mount the server in a router, and routers below the guard', async () => {
    const { ask, auth } = await embed('/v1/identity', (auth) => {
      const inner = express.Router().get('/list', (req, res) => res.json(req.user?.username));
      const v1 = express.Router().use('/identity', auth.router);
      v1.use('/things', auth.authenticate(), inner);
      return express().use('/v1', v1).use(auth.errorHandler);
    });
    const body = { username: 'ada', password };
    const { accessToken: token } = (await ask('POST', '/v1/identity/auth/register', { body })).body;
    expect((await ask('GET', '/v1/things/list', { token })).body).toBe('ada');
    const refused = await ask('GET', '/v1/things/list');
    expect([refused.status, refused.body.type]).toEqual([
      401,
      '/v1/identity/problems/token_missing',
    ]);
    expect((await auth.sessions.list('ada')).length).toBe(1);
  });

  it('keeps a method that no other server knows', async () => {
    const answer = await new Promise<number>((resolve) => {
      request(`${parsers.url}/own`, { method: 'MKCOL' }, (res) =>
        resolve(res.resume().statusCode!),
      ).end();
    });
    expect(answer).toBe(404);
  });
});

describe('tables of the app', async () => {
  const { auth, ask } = await embed('', (auth) => express().use(auth.router));
  const { User, UserRole } = auth.models;
  const Note = auth.sequelize.define('Note', {
    text: { type: DataTypes.STRING(500), allowNull: false },
  });
  const owner = { foreignKey: { name: 'userId', allowNull: false }, onDelete: 'CASCADE' };
  User.hasMany(Note, { as: 'notes', ...owner });
  Note.belongsTo(User, { as: 'user', ...owner });
  await Note.sync();
  const user = (name: string) => auth.users.create({ username: name, password });

  it('belong to users, and go with them', async () => {
    const ada = await user('ada');
    await Note.create({ userId: ada.id, text: 'one' });
    await Note.create({ userId: ada.id, text: 'two' });
    const found = await User.findOne({ where: { id: ada.id }, include: ['notes', 'roles'] });
    expect((found!.get('notes') as unknown[]).length).toBe(2);
    expect(found!.roleNames).toEqual(['user']);
    const orphan = Note.create({ userId: '00000000-0000-7000-8000-000000000000', text: 'x' });
    await expect(orphan).rejects.toThrow(/foreign key/i);
    await auth.users.delete('ada');
    expect(await Note.count()).toBe(0);
  });

  it('may be made at any time, and with an order for text of their own', async () => {
    const Tag = auth.sequelize.define('Tag', {
      name: { type: DataTypes.STRING(20), unique: true },
    });
    await Tag.sync();
    await Tag.create({ name: 'Ada' });
    await Tag.create({ name: 'ada' }); // compared as our own tables compare: byte for byte
    const plain = { charset: 'latin1', collate: 'latin1_swedish_ci' };
    const Old = auth.sequelize.define('Old', { name: DataTypes.STRING(20) }, { ...plain });
    const { charset, collate } = Old.options;
    expect({ charset, collate }).toEqual(plain);
    await Old.sync();
  });

  it('may be synchronised all at once: the tables of the server stay as they are', async () => {
    const ada = await user('ada');
    const count = await User.count();
    await auth.sequelize.sync();
    expect(await User.count()).toBe(count);
    expect((await auth.users.find('ada'))!.roleNames).toEqual(['user']);
    await Note.create({ userId: ada.id, text: 'still' });
    await Note.destroy({ where: {} });
  });

  it('take part in a transaction without being told', async () => {
    const ben = await user('ben');
    const heard: string[] = [];
    const stop = auth.on('role.granted', ({ role }) => heard.push(role));
    await auth.roles.create('writer');
    const failed = auth.transaction(async () => {
      await Note.create({ userId: ben.id, text: 'undone' });
      await auth.roles.grant('ben', 'writer');
      expect(heard).toEqual([]);
      throw new Error('changed my mind');
    });
    await expect(failed).rejects.toThrow('changed my mind');
    expect([await Note.count(), await UserRole.count({ where: { userId: ben.id } })]).toEqual([
      0, 1,
    ]);
    expect(heard).toEqual([]);

    const answer = await auth.transaction(async () => {
      await Note.create({ userId: ben.id, text: 'done' });
      await auth.roles.grant('ben', 'writer');
      return 'both';
    });
    expect(answer).toBe('both');
    expect([await Note.count(), await UserRole.count({ where: { userId: ben.id } })]).toEqual([
      1, 2,
    ]);
    expect(heard).toEqual(['writer']);
    stop();
  });

  it('do not meet the CLS namespace of the app', async () => {
    const touched = (name: string) => () => expect.fail(`${name} of the namespace of the app`);
    const names = ['get', 'set', 'run', 'bind'];
    const own = Object.fromEntries(names.map((name) => [name, touched(name)]));
    Sequelize.useCLS(own);
    try {
      const { id } = await user('cyd');
      await auth.transaction(() => Note.create({ userId: id, text: 'own' }));
      expect(await Note.count({ where: { userId: id } })).toBe(1);
    } finally {
      Reflect.deleteProperty(Sequelize, '_cls');
    }
  });

  it('serve the API, too: what the app writes binds on the next request', async () => {
    const { body } = await ask('POST', '/auth/register', { body: { username: 'eve', password } });
    const token = body.accessToken;
    expect((await ask('GET', '/me', { token })).body.name).toBeNull();
    await User.update({ name: 'Eve' }, { where: { id: body.user.id } });
    expect((await ask('GET', '/me', { token })).body.name).toBe('Eve');
  });
});

describe('what code in the same process may do', async () => {
  const { auth, ask } = await embed('', (auth) => express().use(auth.router));
  const signIn = async (identifier: string) => {
    const { status, body } = await ask('POST', '/auth/login', { body: { identifier, password } });
    return { status, token: body?.accessToken as string, session: body?.session?.id as string };
  };
  const me = async (token: string) => {
    const { status, body } = await ask('GET', '/me', { token });
    return status === 200 ? 200 : body.code;
  };
  const refusal = (code: string) => expect.objectContaining({ name: 'Problem', code });

  it('makes, finds and lists users', async () => {
    await auth.roles.create('editor');
    const email = 'Ada@Example.com';
    const ada = await auth.users.create({ username: 'Ada', email, password, name: 'A' }, [
      'editor',
    ]);
    expect(ada.roleNames).toEqual(['editor']);
    for (const name of ['ADA', 'ada@example.COM', ada.id, ada.id.toUpperCase()])
      expect((await auth.users.find(name))?.id, name).toBe(ada.id);
    expect(await auth.users.find('nobody')).toBeNull();
    expect((await signIn('ada')).status).toBe(200);

    await auth.users.create({ username: 'ben', password });
    const page = await auth.users.list({ limit: 1 });
    expect(page.data.map(({ username }) => username)).toEqual(['Ada']);
    const next = await auth.users.list({ limit: 100, cursor: page.nextCursor! });
    expect(next.data.map(({ roleNames }) => roleNames)).toEqual([['user']]);
    expect(next.nextCursor).toBeNull();
    const found = await auth.users.list({ limit: 10, role: 'editor', q: 'AD' });
    expect(found.data.map(({ id }) => id)).toEqual([ada.id]);

    expect((await auth.users.verifyPassword('ada', password))?.id).toBe(ada.id);
    expect(await auth.users.verifyPassword('ada', 'wrong')).toBeNull();
    expect(await auth.users.verifyPassword('nobody', password)).toBeNull();
  });

  it('is told what is wrong', async () => {
    const create = (input: object) => auth.users.create({ password, ...input });
    await expect(create({ username: 'aDA' })).rejects.toEqual(refusal('username_taken'));
    await expect(create({ email: 'ada@example.com' })).rejects.toEqual(refusal('email_taken'));
    await expect(create({ username: 'x y' })).rejects.toMatchObject({
      code: 'invalid_request',
      members: { errors: [{ pointer: '/username' }] },
    });
    await expect(create({})).rejects.toEqual(refusal('invalid_request'));
    await expect(create({ username: 'cy', is: 1 })).rejects.toEqual(refusal('invalid_request'));
    const weak = create({ username: 'cy', password: 'short' });
    await expect(weak).rejects.toEqual(refusal('weak_password'));
    await expect(auth.roles.create('No Role')).rejects.toEqual(refusal('invalid_request'));
    for (const lost of [
      () => auth.users.disable('nobody'),
      () => auth.users.enable('nobody'),
      () => auth.users.delete('nobody'),
      () => auth.sessions.list('nobody'),
      () => auth.sessions.endAll('nobody'),
      () => auth.roles.grant('nobody', 'editor'),
      () => auth.roles.grant('ada', 'nothing'),
      () => auth.roles.revoke('nobody', 'editor'),
      () => auth.roles.revoke('ada', 'nothing'),
    ])
      await expect(lost(), String(lost)).rejects.toEqual(refusal('not_found'));
    const roleless = auth.users.create({ username: 'cy', password }, ['nothing']);
    await expect(roleless).rejects.toEqual(refusal('not_found'));
    expect(await auth.users.find('cy')).toBeNull();
  });

  it('disables, enables and deletes users, and it binds on the next request', async () => {
    await auth.users.create({ username: 'dan', password });
    const { token } = await signIn('dan');
    expect(await me(token)).toBe(200);
    await auth.users.disable('dan');
    expect(await me(token)).toBe('user_disabled');
    expect((await signIn('dan')).status).toBe(401);
    await auth.users.enable('dan');
    expect(await me(token)).toBe('session_ended');
    const again = await signIn('dan');
    expect(again.status).toBe(200);
    const heard: string[] = [];
    const stop = auth.on('user.deleted', ({ userId }) => heard.push(userId));
    const { id } = (await auth.users.find('dan'))!;
    await auth.users.delete('dan');
    stop();
    expect(heard).toEqual([id]);
    expect(await me(again.token)).toBe('session_ended');
    expect(await auth.users.find('dan')).toBeNull();
  });

  it('changes how users sign in, as the command line does', async () => {
    const email = 'vera@example.com';
    const vera = await auth.users.create({
      username: 'vera',
      email,
      password,
      emailVerified: true,
    });
    expect(vera.emailVerifiedAt).toBeInstanceOf(Date);
    const { token } = await signIn('vera');
    await auth.users.setPassword('vera', 'another battery horse');
    expect(await me(token)).toBe('session_ended');
    expect((await signIn('vera')).status).toBe(401);
    await auth.users.forgetFailures('vera');
    await expect(auth.users.setPassword('vera', 'short')).rejects.toEqual(refusal('weak_password'));

    await auth.users.create({ username: 'wim', email: 'wim@example.com', password });
    const heard: string[] = [];
    const stop = auth.on('user.email_verified', ({ userId }) => heard.push(userId));
    expect(await auth.users.verifyEmail('wim')).toBe(true);
    expect(await auth.users.verifyEmail('wim')).toBe(false);
    stop();
    expect(heard).toHaveLength(1);
    const nothing = { username: 'xan', password, emailVerified: true };
    await expect(auth.users.create(nothing)).rejects.toEqual(refusal('invalid_request'));

    const last = await signIn('wim');
    expect(await auth.apiKeys.list('wim')).toEqual([]);
    expect(await auth.identities.list('wim')).toEqual([]);
    const unknown = '00000000-0000-7000-8000-000000000000';
    await expect(auth.apiKeys.revoke('wim', unknown)).rejects.toEqual(refusal('not_found'));
    await expect(auth.identities.unlink('wim', unknown)).rejects.toEqual(refusal('not_found'));
    expect(await auth.sessions.endAllOfEverybody()).toBeGreaterThan(0);
    expect(await me(last.token)).toBe('session_ended');
  });

  it('keeps the last administrator', async () => {
    await auth.users.create({ username: 'root-user', password }, ['admin']);
    for (const change of [
      () => auth.users.disable('root-user'),
      () => auth.users.delete('root-user'),
      () => auth.roles.revoke('root-user', 'admin'),
    ])
      await expect(change(), String(change)).rejects.toEqual(refusal('last_admin'));
    await auth.transaction(async () => {
      await expect(auth.users.disable('root-user')).rejects.toEqual(refusal('last_admin'));
      await auth.users.create({ username: 'all-the-same', password });
    });
    expect((await auth.users.find('root-user'))!.disabledAt).toBeNull();
    expect(await auth.users.find('all-the-same')).not.toBeNull();
  });

  it('leaves nothing of a transaction that was undone, not even in memory', async () => {
    const { id } = await auth.users.create({ username: 'una', password });
    const { token } = await signIn('una');
    const claims = await auth.sessions.verifyAccessToken(token);
    const undone = auth.transaction(async () => {
      await auth.roles.grant(id, 'admin');
      expect((await auth.sessions.resume(claims)).roles).toContain('admin');
      throw new Error('on purpose');
    });
    await expect(undone).rejects.toThrow('on purpose');
    expect((await auth.sessions.resume(claims)).roles).toEqual(['user']);
    expect((await ask('GET', '/admin/users', { token })).status).toBe(403);
  });

  it('lists and ends sessions', async () => {
    await auth.users.create({ username: 'fay', password });
    const [one, two, three] = [await signIn('fay'), await signIn('fay'), await signIn('fay')];
    const listed = await auth.sessions.list('fay');
    expect(listed.map(({ id }) => id)).toEqual([three.session, two.session, one.session]);
    expect(await auth.sessions.end(two.session)).toBe(true);
    expect(await auth.sessions.end(two.session)).toBe(false);
    expect([await me(one.token), await me(two.token)]).toEqual([200, 'session_ended']);
    const claims = await auth.sessions.verifyAccessToken(one.token);
    expect((await auth.sessions.resume(claims)).username).toBe('fay');
    expect(await auth.sessions.endAll('fay')).toBe(2);
    expect(await auth.sessions.endAll('fay')).toBe(0);
    expect([await me(one.token), await me(three.token)]).toEqual([
      'session_ended',
      'session_ended',
    ]);
    await expect(auth.sessions.resume(claims)).rejects.toEqual(refusal('session_ended'));
    const wrong = auth.sessions.verifyAccessToken('nonsense');
    await expect(wrong).rejects.toEqual(refusal('token_invalid'));
    await expect(auth.apiKeys.resume('nonsense')).rejects.toEqual(refusal('token_invalid'));
  });

  it('makes, lists, grants and revokes roles', async () => {
    await auth.users.create({ username: 'gus', password });
    const { token } = await signIn('gus');
    const roles = async () => (await ask('GET', '/me', { token })).body.roles;
    expect([await auth.roles.create('gardener'), await auth.roles.create('gardener')]).toEqual([
      true,
      false,
    ]);
    expect(await auth.roles.list()).toEqual(['admin', 'editor', 'gardener', 'moderator', 'user']);
    expect(await auth.roles.grant('gus', 'gardener')).toBe(true);
    expect(await auth.roles.grant('gus', 'gardener')).toBe(false);
    expect(await roles()).toEqual(['gardener', 'user']);
    expect(await auth.roles.revoke('gus', 'gardener')).toBe(true);
    expect(await auth.roles.revoke('gus', 'gardener')).toBe(false);
    expect(await roles()).toEqual(['user']);
  });

  it('lists and changes keys', async () => {
    await auth.users.create({ username: 'hal', password });
    const { token } = await signIn('hal');
    const states = async () => (await auth.keys.list()).map(({ state }) => state).sort();
    const published = async () => (await ask('GET', '/.well-known/jwks.json')).body.keys.length;
    expect([await states(), await published()]).toEqual([['active'], 1]);
    await auth.keys.rotate();
    expect([await states(), await published()]).toEqual([['active', 'pending'], 2]);
    expect(await me(token)).toBe(200);
    await auth.keys.replace();
    expect(await states()).toEqual(['active']);
    expect(await me(token)).toBe('token_expired'); // so its client asks for a new one
    expect(await me((await signIn('hal')).token)).toBe(200);
  });

  it('hears events once, and a listener that throws harms nothing', async () => {
    const heard: string[] = [];
    const stops = [
      auth.on('session.started', () => {
        throw new Error('a mistake of the app');
      }),
      auth.on('session.started', ({ strategy }) => heard.push(strategy)),
    ];
    await auth.users.create({ username: 'ivy', password });
    expect((await signIn('ivy')).status).toBe(200);
    for (const stop of stops) stop();
    await signIn('ivy');
    expect(heard).toEqual(['local']);
  });
});

describe('a strategy of the app', () => {
  const robot = defineStrategy({
    name: 'robot',
    kind: 'bearer',
    summary: 'A key for one script',
    scheme: { type: 'apiKey', in: 'header', name: 'X-Robot-Key' },
    create: ({ auth }) =>
      custom(async (req) => (req.get('x-robot-key') === 'open' ? auth.users.find('robot') : null)),
  });

  it('guards the routes of the server and those of the app', async () => {
    const { ask, auth } = await embed(
      '',
      (auth) =>
        express()
          .use(auth.router)
          .get('/own', auth.authenticate(), (req, res) => res.json(req.user))
          .use(auth.errorHandler),
      { strategies: [robot] },
    );
    await auth.users.create({ username: 'robot', password });
    const headers = { 'x-robot-key': 'open' };
    expect((await ask('GET', '/me', { headers })).body.username).toBe('robot');
    expect((await ask('GET', '/own', { headers })).body).toMatchObject({
      username: 'robot',
      session: null,
    });
    expect((await ask('GET', '/own', { headers: { 'x-robot-key': 'no' } })).status).toBe(401);
    const { securitySchemes } = (await ask('GET', '/openapi.json')).body.components;
    expect(securitySchemes.robot).toMatchObject({ name: 'X-Robot-Key' });
  });
});

describe('conditions of the app', () => {
  it('are asked before a session is started', async () => {
    const asked: string[] = [];
    const { ask, auth } = await embed('', (auth) => express().use(auth.router), {
      signInPolicies: [
        (_ctx, { roles }) => {
          if (roles.includes('moderator')) throw new Problem('access_denied');
        },
        (_ctx, { method }) => {
          asked.push(method.strategy);
        },
      ],
    });
    await auth.users.create({ username: 'mallory', password }, ['moderator']);
    await auth.users.create({ username: 'nora', password });
    const signIn = (identifier: string) =>
      ask('POST', '/auth/login', { body: { identifier, password } });
    const refused = await signIn('mallory');
    expect([refused.status, refused.body.code]).toEqual([403, 'access_denied']);
    expect(asked).toEqual([]);
    expect((await signIn('nora')).status).toBe(200);
    expect(asked).toEqual(['local']);
    expect(await auth.sessions.list('mallory')).toEqual([]);
  });
});

describe('a guard that reads the body', () => {
  it('answers with a problem when it cannot', async () => {
    const { url } = await embed(
      '',
      (auth) => {
        const app = express().use(auth.router);
        app.post('/own', auth.authenticate(), (_req, res) => res.send('open'));
        return app.use(auth.errorHandler);
      },
      { strategies: [signed], strategySettings: { SIGNED_KEY: 'k'.repeat(32), SIGNED_USER: 'x' } },
    );
    const refusalOf = async (type: string, body: string) => {
      const headers = { 'content-type': type, 'x-signature': 'ab' };
      const answer = await fetch(`${url}/own`, { method: 'POST', headers, body });
      return [answer.status, ((await answer.json()) as { code: string }).code];
    };
    const long = JSON.stringify({ name: 'x'.repeat(20_000) });
    expect(await refusalOf('application/json', long)).toEqual([413, 'payload_too_large']);
    expect(await refusalOf('application/json; charset=latin1', '{}')).toEqual([
      415,
      'unsupported_media_type',
    ]);
    expect(await refusalOf('application/json', '{}')).toEqual([401, 'token_invalid']);
  });
});

describe('a guard that is put in wrongly', async () => {
  const { auth, ask, url } = await embed('', (auth) => {
    const app = express()
      .use(express.json({ limit: '5mb' }))
      .use(auth.router);
    app.use((req, _res, next) => {
      Object.assign(req, { user: { roles: 'admin, editor', permissions: ['*'], session: null } });
      next();
    });
    app.get('/by-role', auth.requireRole('editor'), (_req, res) => res.send('open'));
    app.get('/by-permission', auth.requirePermission('invoices:read'), (_req, res) => {
      res.send('open');
    });
    app.get('/by-time', auth.requireFresh(5), (_req, res) => res.send('open'));
    app.get('/by-factors', auth.requireAal2(), (_req, res) => res.send('open'));
    const notCalled = auth as unknown as Record<string, RequestHandler>;
    app.get('/not-called', notCalled['authenticate']!, (_req, res) => res.send('open'));
    app.get('/no-minutes', notCalled['requireFresh']!, (_req, res) => res.send('open'));
    app.get('/no-factors', notCalled['requireAal2']!, (_req, res) => res.send('open'));
    app.get('/no-permissions', notCalled['requirePermission']!, (_req, res) => res.send('open'));
    app.get('/no-roles', notCalled['requireRole']!, (_req, res) => res.send('open'));
    return app.use(auth.errorHandler, ((error, _req, res, _next) => {
      res.status(500).send((error as Error).message);
    }) as ErrorRequestHandler);
  });

  it.each(['/by-role', '/by-permission', '/by-time', '/by-factors'])(
    'lets nobody in whom only the app knows: %s',
    async (path) => {
      const { status, body } = await ask('GET', path);
      expect([status, body.code]).toEqual([401, 'token_missing']);
    },
  );

  it.each(['/not-called', '/no-roles', '/no-permissions', '/no-minutes', '/no-factors'])(
    'says so, and answers: %s',
    async (path) => {
      const { status, text } = await ask('GET', path);
      expect([status, text]).toEqual([500, expect.stringMatching(/^Write auth\./)]);
    },
  );

  it('names its refusal as the caller named the request, if that is harmless', async () => {
    const idOf = async (given: string) => {
      const { headers, body } = await ask('GET', '/by-role', {
        headers: { 'x-request-id': given },
      });
      expect(headers.get('x-request-id')).toBe(body.requestId);
      return body.requestId as string;
    };
    expect(await idOf('of-a-proxy-1')).toBe('of-a-proxy-1');
    for (const given of ['two words', '<b>', 'x'.repeat(65)])
      expect(await idOf(given)).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('says so when the app starts', () => {
    const { authenticate, requireRole } = auth as unknown as Record<string, (a?: unknown) => void>;
    expect(() => authenticate!('local')).toThrow(TypeError);
    expect(() => requireRole!(['user'])).toThrow(TypeError);
    expect(() => requireRole!()).toThrow(TypeError);
    const { requirePermission } = auth as unknown as Record<string, (...a: unknown[]) => void>;
    for (const wrong of [[], [['a:b']], ['editor'], ['a:b', 'A:b'], ['*:read'], ['a:b:c'], [1]])
      expect(() => requirePermission!(...wrong)).toThrow(TypeError);
  });

  it('refuses what the app’s parser took, however deep it is', async () => {
    const raw = '['.repeat(8000) + ']'.repeat(8000);
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}/auth/login`, { method: 'POST', headers, body: raw });
    expect([answer.status, ((await answer.json()) as { code: string }).code]).toEqual([
      400,
      'invalid_request',
    ]);
  });
});

describe('a condition that fails', () => {
  it('locks nobody out who has the right password', async () => {
    let fails = true;
    const { ask, auth } = await embed('', (auth) => express().use(auth.router), {
      limits: 'on',
      signInPolicies: [
        () => {
          if (fails) throw new ConnectionError(new Error('on purpose'));
        },
      ],
    });
    await auth.users.create({ username: 'olga', password });
    const signIn = async (password: string) =>
      (await ask('POST', '/auth/login', { body: { identifier: 'olga', password } })).status;
    for (let i = 0; i < 8; i++) expect(await signIn('wrong')).toBe(401);
    for (let i = 0; i < 3; i++) expect(await signIn(password)).toBe(503);
    fails = false;
    expect(await signIn(password)).toBe(200);
  });
});

describe('an app that goes on', () => {
  it('can open its database again, though transactions waited when it was closed', async () => {
    const options = await testOptions();
    const auth = await createSallyport(options);
    const { promise: begun, resolve } = Promise.withResolvers<void>();
    const works = [
      auth.transaction(async () => {
        await auth.roles.create('first');
        resolve();
        await sleep(200);
        await auth.roles.create('second');
      }),
      auth.transaction(() => auth.roles.create('third')),
    ];
    const settled = Promise.allSettled(works);
    await begun;
    await sleep(50); // the second one waits for its turn
    await auth.close();
    await settled;
    const again = await createSallyport(options);
    onTestFinished(() => again.close());
    await again.roles.create('fourth');
    expect(await again.roles.list()).toContain('fourth');
  });

  it('has its own routes after the server was closed', async () => {
    const { ask, auth } = await embed('', (auth) => {
      const app = express().use(auth.router);
      app.get('/own', (_req, res) => res.send('own'));
      app.get('/guarded', auth.authenticate(), (_req, res) => res.send('guarded'));
      return app.use(auth.errorHandler);
    });
    const { body } = await ask('POST', '/auth/register', { body: { username: 'ada', password } });
    const token = body.accessToken;
    await auth.close();
    await auth.close();
    expect((await ask('GET', '/own')).text).toBe('own');
    for (const path of ['/readyz', '/me', '/guarded']) {
      const { status, body } = await ask('GET', path, { token });
      expect([status, body.code], path).toEqual([503, 'unavailable']);
    }
  });
});
