import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { v7 as uuid } from 'uuid';
import { afterAll, expect, it } from 'vitest';
import { z } from 'zod';
import type { EventMap } from '#src/events';
import { published } from '#src/webhooks/catalogue';
import { startApp } from '#test/support/app';
import { eventually } from '#test/support/eventually';
import { root } from '#test/support/process';
import { startReceiver } from '#test/support/receiver';

type Published = keyof typeof published;

const app = await startApp({ WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1' });
app.startSealing();
const { auth, ask, ctx, register, WebhookDelivery } = app;
const receiver = await startReceiver({ close: afterAll });
const { body: document } = await ask('GET', '/openapi.json');
/** The schema of an event as it is published. */
const schemaOf = (type: string) => {
  const { schema } = document.webhooks[type].post.requestBody.content['application/json'];
  const name = (schema.$ref as string).split('/').at(-1)!;
  return z.fromJSONSchema(document.components.schemas[name]);
};

const [userId, sessionId] = [uuid(), uuid()];
const ip = '203.0.113.77';
const proof = { amr: ['pwd', 'otp'], acr: 'aal2', authTime: new Date() } as const;
const factor = { userId, factorId: uuid(), kind: 'totp' };
const key = { userId, apiKeyId: uuid() };
const provider = { userId, provider: 'google' };
/** One of each, as the server announces it. */
const samples: { [N in Published]: EventMap[N] } = {
  'user.registered': { userId },
  'user.imported': { userId },
  'user.updated': { userId },
  'user.deleted': { userId },
  'user.password_changed': { userId },
  'user.email_verified': { userId },
  'user.email_changed': { userId },
  'user.email_restored': { userId },
  'user.disabled': { userId },
  'user.enabled': { userId },
  'user.unlocked': { userId },
  'user.password_reset_sent': { userId },
  'user.taken_over': provider,
  'identity.linked': provider,
  'identity.unlinked': provider,
  'api_key.made': key,
  'api_key.deleted': key,
  'factor.added': factor,
  'factor.renamed': factor,
  'factor.removed': factor,
  'factors.reset': { userId, factors: 2 },
  'recovery_codes.renewed': { userId },
  'recovery_code.used': { userId },
  'passkey.copied': { userId, factorId: uuid() },
  'invitation.accepted': { invitationId: uuid(), userId },
  'role.created': { role: 'editor' },
  'role.changed': { role: 'editor', added: ['invoices:read'], removed: [] },
  'role.deleted': { role: 'editor', users: 3 },
  'role.granted': { userId, role: 'editor' },
  'role.revoked': { userId, role: 'editor' },
  'session.started': { userId, sessionId, strategy: 'local', ip, ...proof },
  'session.new_device': { userId, sessionId, strategy: 'local', ip },
  'session.ended': { userId, sessionId, why: 'signed_out' },
  'session.reauthenticated': { userId, sessionId, ...proof },
  'session.reused': { userId, sessionId, ip },
};
const types = Object.keys(samples) as Published[];

it('each event has a schema and a version, in openapi.json and in docs/webhooks.md, and no other has', () => {
  const all = [...types, 'webhook.test'];
  expect(Object.keys(document.webhooks).sort()).toEqual(all.toSorted());
  const page = readFileSync(join(root, 'docs/webhooks.md'), 'utf8');
  const listed = [...page.matchAll(/^\| `([a-z_]+\.[a-z_]+)` \| 1 \| (.*) \|$/gm)];
  expect(listed.map(([, type]) => type!).toSorted()).toEqual(all.toSorted());
  for (const [, type, fields] of listed) {
    const { data } = (schemaOf(type!) as z.ZodObject).shape as { data: z.ZodObject };
    expect(fields!.match(/\w+/g), type).toEqual(Object.keys(data.shape));
  }
});

it('each event is told as its published schema says, once, and without addresses', async () => {
  await auth.webhooks.create({ url: receiver.url, types: ['*'] });
  await ctx.db.transaction(async () => {
    for (const type of types) ctx.events.emit(type, samples[type]);
  });
  await receiver.hears(types.length);
  for (const { body, text } of receiver.heard) {
    expect(schemaOf(body.type).safeParse(body).error, body.type).toBe(undefined);
    expect(text).not.toContain(ip);
    const { data } = (schemaOf(body.type) as z.ZodObject).shape as { data: z.ZodObject };
    expect(Object.keys(body.data).sort(), body.type).toEqual(Object.keys(data.shape).sort());
  }
  const of = (type: string) => receiver.heard.filter(({ body }) => body.type === type);
  for (const type of types) expect(of(type), type).toHaveLength(1);
  expect(of('session.started')[0]!.body).toEqual({
    id: expect.any(String),
    type: 'session.started',
    version: 1,
    timestamp: expect.any(String),
    data: {
      userId,
      sessionId,
      strategy: 'local',
      ...proof,
      authTime: proof.authTime.toISOString(),
    },
  });
});

it('tells each webhook what it wants, and what happens after it was made or enabled', async () => {
  await register(); // sealed before or after: nobody wants it
  const [registrations, users, off] = await Promise.all(
    [['user.registered'], ['user.*', 'role.created'], ['*']].map(
      async (wanted) =>
        (await auth.webhooks.create({ url: receiver.url, types: wanted })).webhook.id,
    ),
  );
  await auth.webhooks.update(off!, { enabled: false });
  const me = await register();
  await me.ask('PATCH', '/me', { body: { name: 'Ada' } });
  await auth.roles.create('reporter');
  await me.ask('POST', '/auth/logout');
  const told = async (webhookId: string) => {
    const rows = await WebhookDelivery.findAll({ where: { webhookId }, order: ['seq'] });
    return rows
      .filter(({ subject }) => subject === me.id || subject === 'reporter')
      .map(({ type }) => type);
  };
  await eventually(async () => {
    expect(await told(users!)).toEqual(['user.registered', 'user.updated', 'role.created']);
  });
  expect(await told(registrations!)).toEqual(['user.registered']);
  await auth.webhooks.update(off!, { enabled: true });
  await me.ask('PATCH', '/me', { body: { name: 'Bob' } });
  expect(await told(off!)).not.toContain('user.registered');
  await auth.users.disable(me.id);
  await eventually(async () => expect((await told(off!)).at(-1)).toBe('user.disabled'));
  expect(await told(off!)).not.toContain('user.registered');
});

it('is told nothing by a cause that was undone (T-02)', async () => {
  await auth.webhooks.create({ url: receiver.url, types: ['*'] });
  const undone = uuid();
  const failing = ctx.db.transaction(async () => {
    ctx.events.emit('user.updated', { userId: undone });
    throw new Error('on purpose');
  });
  await expect(failing).rejects.toThrow('on purpose');
  const me = await register();
  await eventually(async () =>
    expect(await WebhookDelivery.count({ where: { subject: me.id } })).toBeGreaterThan(0),
  );
  expect(await WebhookDelivery.count({ where: { subject: undone } })).toBe(0);
});
