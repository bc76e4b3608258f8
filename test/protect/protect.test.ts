import { afterEach, describe, expect, it, vi } from 'vitest';
import { sealAll } from '#src/audit/sealing-worker';
import { replaceKeys, tendKeys } from '#src/keys/rotation';
import { protect } from '#src/protect/protect';
import { grants } from '#src/users/permissions';
import { startApp } from '#test/support/app';
import { eventually } from '#test/support/eventually';
import { acting } from '#test/support/impersonation';
import { secondService } from '#test/support/second-service';
import { addApp } from '#test/support/second-factor';

const app = await startApp();
const { auth, ask, ctx, register, logIn } = app;
app.startSealing();
const { actFor, administrator, allow } = acting(app);
await auth.roles.set('editor', { permissions: ['news:write'] });
await auth.roles.set('clerk', { permissions: ['invoices:read'] });
await allow('support', 'users:impersonate invoices:read');
type Service = Awaited<ReturnType<typeof secondService>>;

const INTROSPECT = '/oauth/introspect';
const FEED = '/oauth/changes';
const JWKS = '/.well-known/jwks.json';

afterEach(() => void vi.useRealTimers());

/** Waits until a route of the service answers so. Every answer before is one of those that were right before. */
const becomes = (service: Service, path: string, token: string, status: number) =>
  eventually(async () => {
    const answer = await service.ask(path, token);
    expect([200, 401, 403]).toContain(answer.status);
    expect(answer.status).toBe(status);
    return answer;
  });

const { tokens, token } = await register();
describe('a refusal', () => {
  it.each([
    ['no token', {}],
    ['another scheme', { authorization: 'Basic eDp5' }],
    ['no token behind the scheme', { authorization: 'Bearer' }],
    ['two spaces', { authorization: `Bearer  ${token}` }],
    ['what is no token', { authorization: 'Bearer x.y.z' }],
    ['a refresh token', { authorization: `Bearer ${tokens.refreshToken}` }],
    ['a changed token', { authorization: `Bearer ${token.slice(0, -2)}` }],
    ['a long token', { authorization: `Bearer ${'x'.repeat(5000)}` }],
  ])('for %s is the same as the server gives', async (_name, headers: Record<string, string>) => {
    const service = await secondService(app);
    const there = await ask('GET', '/me', { headers });
    const here = await service.ask('/who', undefined, headers);
    expect(here.status).toBe(401);
    const { requestId, type, ...members } = here.body;
    const { requestId: _id, type: path, ...expected } = there.body;
    expect(members).toEqual(expected);
    expect(type).toBe(service.proxy.url + path);
    expect(requestId).toBe(here.headers.get('x-request-id'));
    for (const name of ['www-authenticate', 'content-type', 'cache-control'])
      expect(here.headers.get(name), name).toBe(there.headers.get(name));
  });

  it('of a token that expired tells to refresh', async () => {
    const service = await secondService(app);
    expect((await service.ask('/who', token)).status).toBe(200);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
    const { status, body, headers } = await service.ask('/who', token);
    expect([status, body.code, body.action]).toEqual([401, 'token_expired', 'refresh']);
    expect(headers.get('www-authenticate')).toContain('The access token expired');
  });

  it('by role or permission names what is missing', async () => {
    const service = await secondService(app);
    for (const [path, required] of [
      ['/desk', ['editor', 'clerk']],
      ['/invoices', ['invoices:read']],
    ] as const) {
      const { status, body, headers } = await service.ask(path, token);
      expect([status, body.code, body.required]).toEqual([403, 'forbidden', required]);
      expect(headers.get('www-authenticate')).toContain('insufficient_scope');
    }
    expect((await service.ask('/forgotten', token)).body.code).toBe('token_missing');
  });
});

it('lets in whom the server lets in, and says who it is', async () => {
  const service = await secondService(app);
  const ada = await register({ username: 'ada', email: 'ada@example.com' }, 'clerk');
  const { status, body } = await service.ask('/who', ada.token);
  expect(status).toBe(200);
  expect(body).toEqual({
    id: ada.id,
    username: 'ada',
    email: 'ada@example.com',
    emailVerified: false,
    roles: ['clerk', 'user'],
    permissions: ['invoices:read'],
    session: {
      id: ada.tokens.session.id,
      amr: ['pwd'],
      acr: 'aal1',
      authTime: expect.any(Number),
    },
    actor: null,
    stale: false,
  });
  expect((await service.ask('/desk', ada.token)).body).toEqual({ for: 'ada' });
  expect((await service.ask('/invoices', ada.token)).status).toBe(200);
});

it('asks the server once for a session, and never again while nothing changes', async () => {
  const service = await secondService(app, { pollSeconds: 25 });
  const { token } = await register();
  const askedBesidesFeed = () => service.proxy.asked.filter((path) => path !== FEED).sort();
  const first = await Promise.all(Array.from({ length: 20 }, () => service.ask('/who', token)));
  expect(new Set(first.map(({ status }) => status))).toEqual(new Set([200]));
  expect(askedBesidesFeed()).toEqual([JWKS, INTROSPECT]);
  for (let i = 0; i < 20; i++)
    await Promise.all(Array.from({ length: 20 }, () => service.ask('/who', token)));
  expect(askedBesidesFeed()).toEqual([JWKS, INTROSPECT]);
  expect(service.proxy.count(FEED)).toBeLessThan(20); // 420 requests: none of them asks for changes
});

describe('what changes at the server binds in the service, long before the token expires', () => {
  it('a sign-out', async () => {
    const service = await secondService(app);
    const { token, ask: me } = await register();
    expect((await service.ask('/who', token)).status).toBe(200);
    await me('POST', '/auth/logout', { body: {} });
    const { body } = await becomes(service, '/who', token, 401);
    expect([body.code, body.action]).toEqual(['session_ended', 'sign_in']);
    const asked = service.proxy.count(INTROSPECT);
    for (let i = 0; i < 10; i++) expect((await service.ask('/who', token)).status).toBe(401);
    expect(service.proxy.count(INTROSPECT)).toBe(asked);
  });

  it('the end of one session, and not of the others of that user', async () => {
    const service = await secondService(app);
    const ada = await register();
    const other = (await logIn(ada.username)).body.accessToken as string;
    for (const token of [ada.token, other])
      expect((await service.ask('/who', token)).status).toBe(200);
    await ask('POST', '/auth/logout', { token: other, body: {} });
    await becomes(service, '/who', other, 401);
    expect((await service.ask('/who', ada.token)).status).toBe(200);
    expect(service.proxy.count(INTROSPECT)).toBe(3);
  });

  it('disabling, and deleting', async () => {
    const service = await secondService(app);
    const [ada, bob] = [await register(), await register()];
    for (const { token } of [ada, bob]) expect((await service.ask('/who', token)).status).toBe(200);
    await auth.users.disable(ada.id);
    await auth.users.delete(bob.id);
    for (const { token } of [ada, bob]) await becomes(service, '/who', token, 401);
  });

  it('a role that is granted, or taken', async () => {
    const service = await secondService(app);
    const { id, token } = await register();
    expect((await service.ask('/desk', token)).status).toBe(403);
    await auth.roles.grant(id, 'editor');
    await becomes(service, '/desk', token, 200);
    await auth.roles.revoke(id, 'editor');
    await becomes(service, '/desk', token, 403);
  });

  it('the permissions of a role, and its end', async () => {
    const service = await secondService(app);
    await auth.roles.set('auditor', { permissions: [] });
    const { token } = await register({}, 'auditor');
    expect((await service.ask('/invoices', token)).status).toBe(403);
    await auth.roles.set('auditor', { permissions: ['invoices:*'] });
    await becomes(service, '/invoices', token, 200);
    await auth.roles.delete('auditor');
    await becomes(service, '/invoices', token, 403);
  });

  it('another name, and a second factor', async () => {
    const service = await secondService(app);
    const me = await register();
    expect((await service.ask('/who', me.token)).body.session.acr).toBe('aal1');
    await me.ask('PATCH', '/me', { body: { username: 'grace' } });
    await addApp(ctx, me);
    await eventually(async () => {
      const { body } = await service.ask('/who', me.token);
      expect([body.username, body.session.acr]).toEqual(['grace', 'aal2']);
    });
  });

  it.each<[string, string, (id: string, token: string) => Promise<unknown>]>([
    [
      'a sign-out',
      'session.ended',
      (_id, token) => ask('POST', '/auth/logout', { token, body: {} }),
    ],
    ['disabling', 'user.disabled', (id) => auth.users.disable(id)],
    ['another role', 'role.granted', (id) => auth.roles.grant(id, 'editor')],
  ])('%s, by the first answer of the feed after its commit', async (_name, type, change) => {
    await sealAll(ctx); // what the tests before did is behind the place where the feed begins
    const wait = 25;
    const service = await secondService(app, { pollSeconds: wait });
    const answers: { changes: { type: string; userId?: string }[]; waitedMs: number }[] = [];
    service.proxy.fault(FEED, async (forward) => {
      const answer = await forward();
      answers.push(JSON.parse(answer.body));
      return answer;
    });
    const { id, token } = await register();
    expect((await service.ask('/who', token)).status).toBe(200);
    const { length } = answers;
    await change(id, token);
    const [answer] = await eventually(() => {
      expect(answers.length).toBeGreaterThan(length);
      return answers.slice(length);
    });
    expect(answer!.changes).toContainEqual(expect.objectContaining({ type, userId: id }));
    expect(answer!.waitedMs).toBeLessThan(wait * 1000); // it was told, and did not find it at its end
  });

  it('whatever ends that an administrator acts for somebody', async () => {
    const service = await secondService(app);
    const ada = await register();
    const boss = await administrator('support');
    const first = await actFor(boss, ada);
    expect((await service.ask('/who', first.token)).body).toMatchObject({
      id: ada.id,
      actor: { id: boss.id },
    });
    await auth.roles.revoke(boss.id, 'support');
    await becomes(service, '/who', first.token, 401);
    await auth.roles.grant(boss.id, 'support');
    const second = await actFor(boss, ada);
    expect((await service.ask('/who', second.token)).status).toBe(200);
    await boss.ask('POST', '/auth/logout', { body: {} });
    await becomes(service, '/who', second.token, 401);
    expect((await service.ask('/who', ada.token)).status).toBe(200);
  });

  it('the end of every key', async () => {
    const service = await secondService(app);
    const { token } = await register();
    expect((await service.ask('/who', token)).status).toBe(200);
    await replaceKeys(ctx);
    await tendKeys(ctx);
    const { body } = await becomes(service, '/who', token, 401);
    expect([body.code, body.action]).toEqual(['token_expired', 'refresh']);
    const fresh = await register();
    expect((await service.ask('/who', fresh.token)).status).toBe(200);
  });
});

it('a session that expires before its token ends there, too', async () => {
  const service = await secondService(app);
  const me = await register();
  const soon = new Date(Date.now() + 60_000);
  await app.Session.update({ expiresAt: soon }, { where: { id: me.tokens.session.id } });
  expect((await service.ask('/who', me.token)).status).toBe(200);
  vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
  const { status, body } = await service.ask('/who', me.token);
  expect([status, body.code]).toEqual([401, 'session_ended']);
});

it('grants what the server grants', async () => {
  const held = [['*'], ['invoices:*'], ['invoices:read'], ['users:read', 'invoices:write'], []];
  const service = await secondService(app);
  for (const permissions of held) {
    await auth.roles.set('tried', { permissions });
    const { token } = await register({}, 'tried');
    for (const wanted of ['invoices:read', 'invoices:*', '*', 'users:read', 'invoices'])
      expect(
        (
          await service.verify(
            { headers: { authorization: `Bearer ${token}` } },
            { permissions: [wanted] },
          )
        ).principal !== undefined,
        `${permissions.join(' ')} for ${wanted}`,
      ).toBe(grants(permissions, wanted));
  }
});

it('refuses options that are wrong, and asks nobody before the first request', async () => {
  const service = { id: 'x', secret: 'y' };
  const wrong: object[] = [
    {},
    { issuer: 'https://a.example' },
    { issuer: 'sallyport', service },
    { issuer: 'https://a.example', service: { id: 'x' } },
    { issuer: 'https://a.example', service, graceSeconds: -1 },
    { issuer: 'https://a.example', service, graceSeconds: '5' },
    { issuer: 'https://a.example', service, pollSeconds: 0.5 },
    { issuer: 'https://a.example', service, audience: '' },
    { issuer: 'https://a.example', service, audiense: 'x' },
    { issuer: 'https://u:p@a.example', service },
  ];
  for (const each of wrong)
    expect(() => protect(each as never), JSON.stringify(each)).toThrow(TypeError);
  const idle = await secondService(app);
  expect(idle.proxy.asked).toEqual([]);
  expect(() => (idle.authenticate as (given: number) => unknown)(1)).toThrow(TypeError);
  expect(() => idle.requireRole(...([] as unknown as [string]))).toThrow(TypeError);
});
