import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { version } from '#src/version';
import { sealWebhookSecretsAgain, signingSecrets } from '#src/webhooks/secrets';
import { startApp, testSecret } from '#test/support/app';
import { commandLine, speaking } from '#test/support/command';
import { eventually } from '#test/support/eventually';
import { startReceiver, verified } from '#test/support/receiver';
import { DAY, SECOND, wait } from '#test/support/clock';
import { statusesOf } from '#test/support/client';
import { askLate } from '#test/support/late';
import { node } from '#test/support/node';
import { heldOpen, underWay } from '#test/support/under-way';

const app = await startApp({ WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1', API_KEYS: 'on' });
const { auth, ask, ctx, env, register, url, AuditEntry, Webhook, WebhookDelivery } = app;
const admin = await register({}, 'admin');
const receiver = await startReceiver({ close: afterAll });
const { does, json, refuses } = speaking(commandLine(env));
const UNKNOWN = '0197f0a0-5b1c-7d3e-9a52-3c1d5e7f9b20';

const create = async (fields: object = {}) => {
  const body = { url: receiver.url, types: ['user.*'], ...fields };
  const answer = await admin.ask('POST', '/admin/webhooks', { body });
  expect(answer.status, answer.text).toBe(201);
  return answer.body as { id: string; secret: string };
};
const deliveriesOf = async (id: string, query = '') => {
  const { body } = await admin.ask('GET', `/admin/webhooks/${id}/deliveries${query}`);
  return body.data as { id: string; state: string; attempts: number; lastStatus: number | null }[];
};
const settled = (id: string, state: string) =>
  eventually(async () => {
    const [newest] = await deliveriesOf(id);
    expect(newest!.state).toBe(state);
    return newest!;
  });

afterEach(async () => {
  vi.useRealTimers();
  receiver.answer(204);
  receiver.heard.length = 0;
  await Webhook.destroy({ where: {} });
});

describe('what creates a webhook', () => {
  const wanted = { url: receiver.url, types: ['user.*'] };
  it.each([
    ['no URL', { url: undefined }, '/url'],
    ['what is no URL', { url: 'hooks' }, '/url'],
    ['another scheme', { url: 'ftp://127.0.0.1/' }, '/url'],
    ['a user in the URL', { url: 'http://ada:secret@127.0.0.1/' }, '/url'],
    ['a fragment', { url: 'http://127.0.0.1/#here' }, '/url'],
    ['an empty fragment', { url: 'http://127.0.0.1/#' }, '/url'],
    ['a port that nobody can connect to', { url: 'http://127.0.0.1:0/' }, '/url'],
    ['a line end', { url: 'http://127.0.0.1/\r\nhost: evil' }, '/url'],
    ['a very long URL', { url: `http://127.0.0.1/${'x'.repeat(3000)}` }, '/url'],
    ['a list of URLs', { url: [receiver.url] }, '/url'],
    ['no types', { types: undefined }, '/types'],
    ['an empty list of types', { types: [] }, '/types'],
    ['an unknown type', { types: ['user.registered', 'user.exploded'] }, '/types/1'],
    ['part of a type', { types: ['us*'] }, '/types/0'],
    ['an unknown group', { types: ['mail.*'] }, '/types/0'],
    ['an event that is not told', { types: ['session.refused'] }, '/types/0'],
    ['a text', { types: 'user.*' }, '/types'],
    ['control characters', { description: 'a\u0000b' }, '/description'],
    ['a secret of their own', { secret: 'whsec_AAAA' }, ''],
  ])('refuses %s', async (_what, fields, pointer) => {
    const { status, body } = await admin.ask('POST', '/admin/webhooks', {
      body: { ...wanted, ...fields },
    });
    expect([status, body.code]).toEqual([400, 'invalid_request']);
    expect(body.errors[0].pointer).toBe(pointer || '/secret');
    expect(await Webhook.count()).toBe(0);
  });

  it('lets in only who may, who signed in lately, and no API key', async () => {
    const other = await register();
    const key = await admin.ask('POST', '/me/api-keys', { body: { name: 'k', scopes: ['admin'] } });
    const headers = { 'x-api-key': key.body.key as string };
    expect((await ask('POST', '/admin/webhooks', { body: wanted })).status).toBe(401);
    expect((await other.ask('POST', '/admin/webhooks', { body: wanted })).status).toBe(403);
    expect((await ask('POST', '/admin/webhooks', { headers, body: wanted })).status).toBe(403);
    expect((await ask('GET', '/admin/webhooks', { headers })).status).toBe(200);
    const { id } = await create();
    wait(61 * 60 * SECOND);
    const { body: tokens } = await ask('POST', '/auth/refresh', {
      body: { refreshToken: admin.tokens.refreshToken },
    });
    const stale = { token: tokens.accessToken as string };
    for (const [method, path, body] of [
      ['POST', '/admin/webhooks', wanted],
      ['PATCH', `/admin/webhooks/${id}`, { description: 'x' }],
      ['POST', `/admin/webhooks/${id}/secret`, {}],
    ] as const)
      expect((await ask(method, path, { ...stale, body })).body.code).toBe('step_up_required');
    expect(await Webhook.count()).toBe(1);
  });

  it('keeps 50 at most', async () => {
    const answers = [];
    for (let i = 0; i < 52; i++)
      answers.push(await admin.ask('POST', '/admin/webhooks', { body: wanted }));
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(50);
    expect(answers.at(-1)!.body.code).toBe('conflict');
    const { body } = await admin.ask('GET', '/admin/webhooks?limit=49');
    expect(body.data).toHaveLength(49);
    const next = await admin.ask('GET', `/admin/webhooks?limit=49&cursor=${body.nextCursor}`);
    expect([next.body.data.length, next.body.nextCursor]).toEqual([1, null]);
  });
});

it.each([
  ['GET', ''],
  ['PATCH', ''],
  ['DELETE', ''],
  ['POST', '/test'],
  ['POST', '/secret'],
  ['GET', '/deliveries'],
  ['POST', `/deliveries/${UNKNOWN}/redeliver`],
])('%s /admin/webhooks/{id}%s knows no other webhook', async (method, path) => {
  const question = method === 'PATCH' || path === '/secret' ? { body: {} } : {};
  const { status } = await admin.ask(method, `/admin/webhooks/${UNKNOWN}${path}`, question);
  expect(status).toBe(404);
  const wrong = await admin.ask(method, `/admin/webhooks/1${path}`, question);
  expect(wrong.body.code).toBe('invalid_request');
});

describe('a webhook', () => {
  it('is tested: signed by the standard, listed as delivered', async () => {
    const { id, secret } = await create();
    const { status, body } = await admin.ask('POST', `/admin/webhooks/${id}/test`);
    expect([status, body.state]).toEqual([202, 'pending']);
    const [heard] = await receiver.hears(1);
    expect(verified(secret, heard!)).toEqual({
      id: body.eventId,
      type: 'webhook.test',
      version: 1,
      timestamp: expect.any(String),
      data: { webhookId: id },
    });
    expect(heard!.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': `Sallyport/${version}`,
      'webhook-id': body.eventId,
    });
    expect(await settled(id, 'delivered')).toMatchObject({ attempts: 1, lastStatus: 204 });
  });

  it('is changed, switched off and on, and deleted with its deliveries', async () => {
    const { id } = await create({ description: 'billing' });
    const changes = { types: ['role.granted', 'role.granted', '*'], description: '' };
    const path = `/admin/webhooks/${id}`;
    expect((await admin.ask('PATCH', path, { body: changes })).body).toMatchObject({
      types: ['role.granted', '*'],
      description: '',
      enabled: true,
    });
    const off = await admin.ask('PATCH', path, { body: { enabled: false } });
    expect(off.body).toMatchObject({ enabled: false, disabledWhy: 'by_hand' });
    expect((await admin.ask('POST', `${path}/test`)).body.code).toBe('conflict');
    await admin.ask('PATCH', path, { body: { enabled: true } });
    expect((await admin.ask('GET', path)).body).toMatchObject({ enabled: true, disabledWhy: null });
    await admin.ask('POST', `${path}/test`);
    await settled(id, 'delivered');
    expect((await admin.ask('DELETE', path)).status).toBe(204);
    expect([await Webhook.count(), await WebhookDelivery.count()]).toEqual([0, 0]);
    expect((await admin.ask('GET', path)).status).toBe(404);
  });

  it('is not changed by who has seen another state (If-Match, A-07)', async () => {
    const { id } = await create();
    const path = `/admin/webhooks/${id}`;
    const etag = (await admin.ask('GET', path)).headers.get('etag')!;
    const change = (description: string) =>
      admin.ask('PATCH', path, { headers: { 'if-match': etag }, body: { description } });
    const answers = await Promise.all(['one', 'other'].map(change));
    expect(statusesOf(answers)).toEqual([200, 412]);
  });

  it('is not changed by who asks while it is deleted', async () => {
    const { id } = await create();
    let changed: ReturnType<typeof admin.ask>;
    await heldOpen(
      ctx.db,
      () => auth.webhooks.delete(id),
      () => {
        changed = admin.ask('PATCH', `/admin/webhooks/${id}`, { body: { description: 'x' } });
        return underWay(ctx.db.sequelize, 'UPDATE%webhook%');
      },
    );
    expect((await changed!).status).toBe(404);
  });

  it.each(['test', 'redeliver'])(
    'that is being switched off has nothing more to deliver (%s)',
    async (what) => {
      const { id } = await create();
      await admin.ask('POST', `/admin/webhooks/${id}/test`);
      const { id: deliveryId } = await settled(id, 'delivered');
      const rest = what === 'test' ? what : `deliveries/${deliveryId}/redeliver`;
      let asked: ReturnType<typeof admin.ask>;
      await heldOpen(
        ctx.db,
        () => auth.webhooks.update(id, { enabled: false }),
        () => {
          asked = admin.ask('POST', `/admin/webhooks/${id}/${rest}`);
          return underWay(ctx.db.sequelize, 'UPDATE%webhooks%');
        },
      );
      const { status, body } = await asked!;
      expect([status, body.code]).toEqual([409, 'conflict']);
      const where = { webhookId: id, state: 'pending' as const };
      expect(await WebhookDelivery.count({ where })).toBe(0);
    },
  );

  it('is not made when the permission is gone by the time the body arrives (A-09)', async () => {
    const role = 'webhook-keeper';
    await auth.roles.set(role, { permissions: ['webhooks:write'] });
    const keeper = await register({}, role);
    const { id } = await create();
    const requests = [
      ['POST', '/admin/webhooks', { url: receiver.url, types: ['*'] }],
      ['PATCH', `/admin/webhooks/${id}`, { description: 'late' }],
      ['POST', `/admin/webhooks/${id}/secret`, {}],
    ] as const;
    for (const [method, path, body] of requests) {
      await auth.roles.grant(keeper.id, role);
      const answer = await askLate(url, { token: keeper.token, method, path, body }, async () => {
        await sleep(100);
        await auth.roles.revoke(keeper.id, role);
      });
      expect([answer.status, answer.code], path).toEqual([403, 'forbidden']);
    }
    expect(await Webhook.count()).toBe(1);
    expect(await Webhook.findByPk(id)).toMatchObject({
      description: '',
      sealedPreviousSecret: null,
    });
  });

  it('is shown to who may read, and changed by who may write', async () => {
    await auth.roles.set('webhook-reader', { permissions: ['webhooks:read'] });
    const reader = await register({}, 'webhook-reader');
    const { id } = await create();
    expect((await reader.ask('GET', `/admin/webhooks/${id}`)).status).toBe(200);
    for (const [method, path] of [
      ['POST', ''],
      ['PATCH', `/${id}`],
      ['DELETE', `/${id}`],
      ['POST', `/${id}/test`],
      ['POST', `/${id}/secret`],
      ['POST', `/${id}/deliveries/${UNKNOWN}/redeliver`],
    ] as const) {
      const { status, body } = await reader.ask(method, `/admin/webhooks${path}`);
      expect([status, body.required], path).toEqual([403, ['webhooks:write']]);
    }
  });

  it('is delivered to once more on request, with the same id, and not while it is tried', async () => {
    const { id } = await create();
    receiver.answer(500);
    const { body } = await admin.ask('POST', `/admin/webhooks/${id}/test`);
    const path = `/admin/webhooks/${id}/deliveries/${body.id}/redeliver`;
    await receiver.hears(1);
    await eventually(async () => expect((await deliveriesOf(id))[0]!.lastStatus).toBe(500));
    expect((await admin.ask('POST', path)).body.code).toBe('conflict');
    receiver.answer(204);
    wait(10 * SECOND);
    ctx.webhooks.wake();
    await settled(id, 'delivered');
    const again = await admin.ask('POST', path);
    expect([again.status, again.body.state]).toEqual([202, 'pending']);
    await receiver.hears(3);
    const ids = receiver.heard.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids)).toEqual(new Set([body.eventId]));
    expect(await settled(id, 'delivered')).toMatchObject({ attempts: 3 });
    expect(await deliveriesOf(id, '?state=failed')).toEqual([]);
    expect(await deliveriesOf(id, '?state=delivered&limit=1')).toHaveLength(1);
    const { id: other } = await create();
    const foreign = `/admin/webhooks/${other}/deliveries/${body.id}/redeliver`;
    expect((await admin.ask('POST', foreign)).status).toBe(404);
  });
});

describe('the secret (W-03)', () => {
  const sendTest = async (id: string) => {
    const before = receiver.heard.length;
    await admin.ask('POST', `/admin/webhooks/${id}/test`);
    return (await receiver.hears(before + 1)).at(-1)!;
  };

  it('of before signs for a day, too, after it was replaced; then only the new one', async () => {
    const { id, secret: first } = await create();
    const { status, body } = await admin.ask('POST', `/admin/webhooks/${id}/secret`, { body: {} });
    const second = body.secret as string;
    expect(status).toBe(200);
    expect(second).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    const both = await sendTest(id);
    for (const secret of [first, second]) expect(verified(secret, both)).toBeTruthy();
    const expiresAt = new Date(body.previousSecretExpiresAt as string).getTime();
    expect(Math.abs(expiresAt - Date.now() - DAY)).toBeLessThan(60 * SECOND);
    wait(DAY + SECOND);
    await auth.webhooks.test(id); // the session of the administrator has expired
    const later = (await receiver.hears(2)).at(-1)!;
    expect(() => verified(first, later)).toThrow('No matching signature');
    expect(verified(second, later)).toBeTruthy();
  });

  it('that others know is void at once if it is asked for', async () => {
    const { id, secret: first } = await create();
    const body = { keepPrevious: false };
    const rotated = await admin.ask('POST', `/admin/webhooks/${id}/secret`, { body });
    const heard = await sendTest(id);
    expect(() => verified(first, heard)).toThrow('No matching signature');
    expect(verified(rotated.body.secret as string, heard)).toBeTruthy();
    expect(rotated.body.previousSecretExpiresAt).toBe(null);
  });

  it('lets nobody change, strip or replay what was signed', async () => {
    const { id, secret } = await create();
    const heard = await sendTest(id);
    const { headers, text } = heard;
    const { 'webhook-signature': signature, ...unsigned } = headers;
    expect(() => verified(secret, { text, headers: unsigned })).toThrow('Missing');
    expect(() => verified(secret, { text: text.replace('1', '2'), headers })).toThrow(
      'No matching',
    );
    const later = {
      ...headers,
      'webhook-timestamp': String(Number(headers['webhook-timestamp']) + 1),
    };
    expect(() => verified(secret, { text, headers: later })).toThrow('No matching');
    const other = { ...headers, 'webhook-id': UNKNOWN };
    expect(() => verified(secret, { text, headers: other })).toThrow('No matching');
    expect(signature).toMatch(/^v1,[A-Za-z0-9+/]{43}=$/);
    wait(6 * 60 * SECOND);
    expect(() => verified(secret, heard)).toThrow('too old');
  });

  it('stands in no list, no event, no row and no error (W-04)', async () => {
    const events: unknown[] = [];
    const stop = ctx.events.onAny((name, event) => void events.push({ name, ...event }));
    const { id, secret } = await create();
    const { body } = await admin.ask('POST', `/admin/webhooks/${id}/secret`, { body: {} });
    receiver.answer(500);
    await sendTest(id);
    const answers = await Promise.all([
      admin.ask('GET', '/admin/webhooks'),
      admin.ask('GET', `/admin/webhooks/${id}`),
      admin.ask('GET', `/admin/webhooks/${id}/deliveries`),
      admin.ask('PATCH', `/admin/webhooks/${id}`, { body: { description: 'x' } }),
      admin.ask('PATCH', `/admin/webhooks/${id}`, { body: { description: 1 } }),
    ]);
    stop();
    const rows = [
      await AuditEntry.findAll({ raw: true }),
      await Webhook.findAll({ raw: true }),
      await WebhookDelivery.findAll({ raw: true }),
    ];
    const all = JSON.stringify([answers.map(({ text }) => text), events, rows]);
    for (const each of [secret, body.secret as string])
      expect(all).not.toContain(each.slice('whsec_'.length));
    expect(events).toContainEqual({ name: 'webhook.secret_rotated', webhookId: id });
  });

  it('goes on signing when APP_SECRET is replaced, and is encrypted again', async () => {
    const { id, secret } = await create();
    const moved = await node({
      ...env,
      APP_SECRET: testSecret(),
      APP_SECRET_PREVIOUS: env.APP_SECRET,
    });
    const sealed = async () => (await Webhook.findByPk(id))!.sealedSecret;
    const before = await sealed();
    await sealWebhookSecretsAgain(moved.ctx);
    expect(await sealed()).not.toBe(before);
    expect(signingSecrets(moved.ctx, (await Webhook.findByPk(id))!)).toEqual([secret]);
    await auth.webhooks.test(id); // this node has the old secret alone
    await eventually(async () => {
      const [newest] = await deliveriesOf(id);
      expect(newest).toMatchObject({ lastError: 'secret_sealed_under_another_app_secret' });
    });
  });
});

describe('on the command line', () => {
  it('webhooks are created, listed, changed, tried and deleted', async () => {
    const made = await json(`webhook create ${receiver.url} --types user.*,role.granted`);
    expect(made).toMatchObject({ types: ['user.*', 'role.granted'], enabled: true });
    const { id } = made;
    expect((await json('webhook list')).data).toHaveLength(1);
    expect(await does('webhook list')).toMatch(/^ID .*\n.*user\.\*,role\.granted +yes +-/);
    const sent = await json(`webhook test ${id}`);
    ctx.webhooks.wake();
    const [heard] = await receiver.hears(1);
    expect(verified(made.secret, heard!)).toMatchObject({ type: 'webhook.test' });
    await settled(id, 'delivered');
    expect(await does(`webhook deliveries ${id} --state delivered`)).toMatch(
      / webhook\.test +delivered +1 +204 +- /,
    );
    await does(`webhook redeliver ${id} ${sent.id}`);
    ctx.webhooks.wake();
    await receiver.hears(2);
    expect(await json(`webhook update ${id} --disable --types *`)).toMatchObject({
      enabled: false,
      types: ['*'],
    });
    expect(await does(`webhook update ${id} --enable`)).toBe('The webhook is changed.\n');
    const { secret } = await json(`webhook rotate-secret ${id} --now`);
    expect(secret).not.toBe(made.secret);
    await refuses(`webhook delete ${id}`, /confirm it with --yes/);
    await does(`webhook delete ${id} --yes`);
    expect(await Webhook.count()).toBe(0);
  });

  it('what is wrong is said', async () => {
    await refuses('webhook create http://10.0.0.1 --types *', /WEBHOOK_ALLOWED_NETWORKS/);
    await refuses(`webhook create ${receiver.url} --types user`, /No event of this server/);
    await refuses(`webhook test ${UNKNOWN}`, /There is nothing here/);
    await refuses('webhook test x', /There is nothing with this id/);
    const { id } = await create();
    await refuses(`webhook update ${id} --enable --disable`, /--enable or --disable/);
    await refuses(`webhook deliveries ${id} --state lost`, /Invalid option/);
  });
});

it('code that embeds the server has the same', async () => {
  const { webhook, secret } = await auth.webhooks.create({ url: receiver.url, types: ['*'] });
  const { id } = webhook;
  await auth.webhooks.test(id);
  const [heard] = await receiver.hears(1);
  expect(verified(secret, heard!)).toBeTruthy();
  await settled(id, 'delivered');
  const { data } = await auth.webhooks.deliveries(id, { limit: 10, state: 'delivered' });
  await auth.webhooks.redeliver(id, data[0]!.id);
  await receiver.hears(2);
  expect((await auth.webhooks.list({ limit: 10 })).data).toHaveLength(1);
  expect((await auth.webhooks.update(id, { enabled: false })).disabledWhy).toBe('by_hand');
  const rotated = await auth.webhooks.rotateSecret(id, { keepPrevious: false });
  expect(rotated.secret).not.toBe(secret);
  await expect(auth.webhooks.create({ url: 'x', types: [] })).rejects.toMatchObject({
    code: 'invalid_request',
  });
  await auth.webhooks.delete(id);
  await expect(auth.webhooks.delete(id)).rejects.toMatchObject({ code: 'not_found' });
});
