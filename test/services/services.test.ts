import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startApp } from '#test/support/app';
import { statusesOf } from '#test/support/client';
import { DAY, SECOND, wait } from '#test/support/clock';
import { commandLine, speaking } from '#test/support/command';
import { askLate } from '#test/support/late';
import { formOf, type ServiceCredentials } from '#test/support/services';

const { auth, ask, ctx, env, register, url, AuditEntry, Service } = await startApp({
  API_KEYS: 'on',
});
const admin = await register({}, 'admin');
const { does, json, refuses } = speaking(commandLine(env));
const UNKNOWN = '0197f0a0-5b1c-7d3e-9a52-3c1d5e7f9b20';
const MINUTE = 60 * SECOND;

let made = 0;
const create = async (fields: object = {}) => {
  const body = { name: `billing-${++made}`, scopes: ['introspect'], ...fields };
  const answer = await admin.ask('POST', '/admin/services', { body });
  expect(answer.status, answer.text).toBe(201);
  return answer.body as ServiceCredentials & { name: string };
};
const introspect = (service: ServiceCredentials | undefined) =>
  ask('POST', '/oauth/introspect', formOf(service, { token: 'x' }));

afterEach(async () => {
  vi.useRealTimers();
  await Service.destroy({ where: {} });
});

describe('what creates a service', () => {
  it.each([
    ['no name', { name: undefined }, '/name'],
    ['an empty name', { name: '' }, '/name'],
    ['capital letters', { name: 'Billing' }, '/name'],
    ['a colon', { name: 'bill:ing' }, '/name'],
    ['a long name', { name: 'b'.repeat(65) }, '/name'],
    ['what looks like an id', { name: 'a197f0a0-5b1c-7d3e-9a52-3c1d5e7f9b20' }, '/name'],
    ['a list of names', { name: ['billing'] }, '/name'],
    ['an unknown scope', { scopes: ['introspect', 'everything'] }, '/scopes/1'],
    ['a scope as text', { scopes: 'introspect' }, '/scopes'],
    ['a secret of their own', { secret: 'sps_mine' }, '/secret'],
  ])('refuses %s', async (_what, fields, pointer) => {
    const body = { name: 'billing', scopes: ['introspect'], ...fields };
    const answer = await admin.ask('POST', '/admin/services', { body });
    expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
    expect(answer.body.errors[0].pointer).toBe(pointer);
    expect(await Service.count()).toBe(0);
  });

  it('lets in only who may, who signed in lately, and no API key', async () => {
    const body = { name: 'billing' };
    const other = await register();
    const key = await admin.ask('POST', '/me/api-keys', { body: { name: 'k', scopes: ['admin'] } });
    const headers = { 'x-api-key': key.body.key as string };
    expect((await ask('POST', '/admin/services', { body })).status).toBe(401);
    expect((await other.ask('POST', '/admin/services', { body })).status).toBe(403);
    expect((await ask('POST', '/admin/services', { headers, body })).status).toBe(403);
    expect((await ask('GET', '/admin/services', { headers })).status).toBe(200);
    await auth.roles.set('service-reader', { permissions: ['services:read'] });
    const reader = await register({}, 'service-reader');
    expect((await reader.ask('GET', '/admin/services')).status).toBe(200);
    const refused = await reader.ask('POST', '/admin/services', { body });
    expect([refused.status, refused.body.required]).toEqual([403, ['services:write']]);
    expect(await Service.count()).toBe(0);
  });

  it('gives a name once, also to many who ask at once', async () => {
    const body = { name: 'once' };
    const ten = Array.from({ length: 10 }, () => admin.ask('POST', '/admin/services', { body }));
    const statuses = statusesOf(await Promise.all(ten));
    expect(statuses.filter((status) => status === 201)).toHaveLength(1);
    expect(statuses.filter((status) => status === 409)).toHaveLength(9);
  });
});

it.each([
  ['GET', ''],
  ['PATCH', ''],
  ['DELETE', ''],
  ['POST', '/secret'],
])('%s /admin/services/{id}%s knows no other service', async (method, path) => {
  const question = ['PATCH', 'POST'].includes(method) ? { body: {} } : {};
  expect((await admin.ask(method, `/admin/services/${UNKNOWN}${path}`, question)).status).toBe(404);
  const wrong = await admin.ask(method, `/admin/services/1${path}`, question);
  expect(wrong.body.code).toBe('invalid_request');
});

describe('a service', () => {
  it('is shown without its secret, changed, and deleted', async () => {
    const { id, secret, name } = await create();
    expect(secret).toMatch(/^sps_[\w-]{43}$/);
    const path = `/admin/services/${id}`;
    const shown = await admin.ask('GET', path);
    expect(shown.body).toEqual({
      id,
      name,
      scopes: ['introspect'],
      previousSecretExpiresAt: null,
      lastUsedAt: null,
      createdAt: expect.any(String),
    });
    const changes = { name: 'other', scopes: ['changes', 'changes'] };
    const changed = await admin.ask('PATCH', path, { body: changes });
    expect(changed.body).toMatchObject({ name: 'other', scopes: ['changes'] });
    expect((await introspect({ id, secret })).body).toMatchObject({
      error: 'unauthorized_client',
      status: 403,
      required: ['introspect'],
    });
    expect((await admin.ask('DELETE', path)).status).toBe(204);
    expect((await admin.ask('DELETE', path)).status).toBe(404);
    expect((await introspect({ id, secret })).status).toBe(401);
  });

  it('is not renamed to the name of another', async () => {
    const [one, other] = [await create(), await create()];
    const body = { name: other.name };
    const answer = await admin.ask('PATCH', `/admin/services/${one.id}`, { body });
    expect([answer.status, answer.body.code]).toEqual([409, 'conflict']);
  });

  it('is not changed by who has seen another state (If-Match, A-07)', async () => {
    const { id } = await create();
    const path = `/admin/services/${id}`;
    const etag = (await admin.ask('GET', path)).headers.get('etag')!;
    const change = (scopes: string[]) =>
      admin.ask('PATCH', path, { headers: { 'if-match': etag }, body: { scopes } });
    const both = [['changes'], ['introspect', 'changes']];
    expect(statusesOf(await Promise.all(both.map(change)))).toEqual([200, 412]);
  });

  it('is not made when the permission is gone by the time the body arrives (A-09)', async () => {
    const role = 'service-keeper';
    await auth.roles.set(role, { permissions: ['services:write'] });
    const keeper = await register({}, role);
    const { id } = await create();
    for (const [method, path, body] of [
      ['POST', '/admin/services', { name: 'late' }],
      ['PATCH', `/admin/services/${id}`, { name: 'late' }],
      ['POST', `/admin/services/${id}/secret`, {}],
    ] as const) {
      await auth.roles.grant(keeper.id, role);
      const asked = askLate(url, { token: keeper.token, method, path, body }, async () => {
        await sleep(100);
        await auth.roles.revoke(keeper.id, role);
      });
      expect((await asked).status, path).toBe(403);
    }
    expect(await Service.findAll({ where: { name: 'late' } })).toEqual([]);
    expect(await Service.findByPk(id)).toMatchObject({ previousSecretDigest: null });
  });

  it('notes its use once a minute', async () => {
    const service = await create();
    const lastUsed = async () => (await Service.findByPk(service.id))!.lastUsedAt;
    expect(await lastUsed()).toBe(null);
    await introspect(service);
    const first = await lastUsed();
    expect(first).toBeInstanceOf(Date);
    await introspect(service);
    expect(await lastUsed()).toEqual(first);
    wait(MINUTE + SECOND);
    await introspect(service);
    expect((await lastUsed())!.getTime() - first!.getTime()).toBeGreaterThan(MINUTE);
  });
});

describe('the secret', () => {
  const rotate = async (id: string, body: object = {}) => {
    const answer = await admin.ask('POST', `/admin/services/${id}/secret`, { body });
    expect(answer.status, answer.text).toBe(200);
    return answer.body as ServiceCredentials & { previousSecretExpiresAt: string | null };
  };

  it('of before is good for a day after it was replaced, then only the new one', async () => {
    const first = await create();
    const second = await rotate(first.id);
    const expiresAt = new Date(second.previousSecretExpiresAt!).getTime();
    expect(Math.abs(expiresAt - Date.now() - DAY)).toBeLessThan(MINUTE);
    for (const each of [first, second]) expect((await introspect(each)).status).toBe(200);
    wait(DAY - MINUTE);
    expect((await introspect(first)).status).toBe(200);
    wait(DAY + SECOND);
    expect((await introspect(first)).status).toBe(401);
    expect((await introspect(second)).status).toBe(200);
  });

  it('of before the one before is void, and so is one that others know', async () => {
    const first = await create();
    const second = await rotate(first.id);
    const third = await rotate(first.id);
    expect((await introspect(first)).status).toBe(401);
    expect((await introspect(second)).status).toBe(200);
    const fourth = await rotate(first.id, { keepPrevious: false });
    expect(fourth.previousSecretExpiresAt).toBe(null);
    for (const each of [second, third]) expect((await introspect(each)).status).toBe(401);
    expect((await introspect(fourth)).status).toBe(200);
  });

  it('stands in no list, no event, no row and no error', async () => {
    const events: unknown[] = [];
    const stop = ctx.events.onAny((name, event) => void events.push({ name, ...event }));
    const first = await create();
    const second = await rotate(first.id);
    const path = `/admin/services/${first.id}`;
    const answers = await Promise.all([
      admin.ask('GET', '/admin/services'),
      admin.ask('GET', path),
      admin.ask('PATCH', path, { body: { scopes: [] } }),
      admin.ask('PATCH', path, { body: { name: 1 } }),
      introspect({ ...first, secret: first.secret.slice(0, -1) }),
    ]);
    await admin.ask('DELETE', path);
    stop();
    const rows = [await AuditEntry.findAll({ raw: true }), await Service.findAll({ raw: true })];
    const all = JSON.stringify([answers.map(({ text }) => text), events, rows]);
    for (const { secret } of [first, second]) expect(all).not.toContain(secret.slice(4));
    const serviceId = first.id;
    expect(events.filter((event) => (event as { serviceId?: string }).serviceId)).toEqual([
      { name: 'service.created', serviceId },
      { name: 'service.secret_rotated', serviceId },
      { name: 'service.updated', serviceId },
      { name: 'service.deleted', serviceId },
    ]);
  });
});

describe('the command line', () => {
  it('creates, lists, shows, changes, rotates and deletes services', async () => {
    const first = await json('service create billing --scope changes --scope introspect');
    expect(first).toMatchObject({
      name: 'billing',
      scopes: ['introspect', 'changes'],
      secret: expect.stringMatching(/^sps_/),
    });
    expect((await introspect(first)).status).toBe(200);
    expect(await does('service list')).toMatch(/billing +introspect,changes/);
    expect(await json(`service show ${first.id}`)).toMatchObject({ name: 'billing' });
    const changes = '--name bills --scope introspect';
    expect(await json(`service update billing ${changes}`)).toMatchObject({
      name: 'bills',
      scopes: ['introspect'],
    });
    const second = await json('service rotate-secret bills');
    const third = await json('service rotate bills --now');
    expect((await introspect(second)).status).toBe(401);
    expect((await introspect(third)).status).toBe(200);
    await does('service delete bills --yes');
    expect((await introspect(third)).status).toBe(401);
  });

  it.each([
    ['service show nobody', /There is no service "nobody"\./],
    ['service create Billing', /A service is named with small letters/],
    ['service create billing --scope everything', /scopes/],
    ['service delete nobody --yes', /There is no service "nobody"\./],
  ])('refuses %s', async (line, sentence) => {
    await refuses(line, sentence);
  });
});

it('can be managed by an app that embeds the server', async () => {
  const { service, secret } = await auth.services.create({ name: 'app', scopes: ['introspect'] });
  expect((await introspect({ id: service.id, secret })).status).toBe(200);
  await auth.services.update(service.id, { scopes: [] });
  expect((await introspect({ id: service.id, secret })).status).toBe(403);
  const { data } = await auth.services.list({ limit: 1 });
  expect(data.map(({ name }) => name)).toEqual(['app']);
  await auth.services.rotateSecret(service.id, { keepPrevious: false });
  expect((await introspect({ id: service.id, secret })).status).toBe(401);
  await auth.services.delete(service.id);
  await expect(auth.services.delete(service.id)).rejects.toMatchObject({ code: 'not_found' });
  await expect(auth.services.create({ name: 'X' })).rejects.toMatchObject({ status: 400 });
});
