import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { v7 as uuid } from 'uuid';
import { sealAll } from '#src/audit/sealing-worker';
import { openContext } from '#src/open-context';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { webhooksApi } from '#src/server-api/webhooks';
import { dispatch } from '#src/webhooks/dispatch';
import { takeNext } from '#src/webhooks/take';
import { startWebhookWorker } from '#src/webhooks/worker';
import { password, testEnv, testSecret } from '#test/support/app';
import { makeCertificate } from '#test/support/certificate';
import { wait } from '#test/support/clock';
import { emptyDatabase } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { node } from '#test/support/node';
import { settingsFor, startProcess, type Running } from '#test/support/process';
import { startReceiver, verified } from '#test/support/receiver';
import { rounds } from '#test/support/rounds';

// This process delivers only where a test starts a worker.
const databaseUrl = await emptyDatabase();
const more = { APP_SECRET: testSecret(), WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1' };
const env = settingsFor(databaseUrl, { ...more, LOG_LEVEL: 'info' });
const ownEnv = testEnv(databaseUrl, more);
const ctx = await openContext(parseSettings(settingsFrom(ownEnv)));
const { Webhook, WebhookDelivery } = ctx.db;
const webhooks = webhooksApi(ctx);
afterAll(() => ctx.close());
afterEach(async () => {
  vi.useRealTimers();
  await Webhook.destroy({ where: {} });
});

/** The lease of src/webhooks/take.ts, in milliseconds. */
const LEASE = 60_000;
const pending = () => WebhookDelivery.count({ where: { state: 'pending' } });
const registered = async ({ ask }: Running, username: string) => {
  const { status, body } = await ask('POST', '/auth/register', { body: { username, password } });
  expect(status).toBe(201);
  const token = body.accessToken as string;
  const rename = (name: string) => ask('PATCH', '/me', { token, body: { name } });
  return { id: body.user.id as string, rename };
};

it('of many who take at once, on two nodes, each gets another delivery', async () => {
  const there = await node(ownEnv);
  const { webhook } = await webhooks.create({ url: 'http://127.0.0.1:9/', types: ['*'] });
  for (let round = 0; round < rounds(3, 50); round++) {
    for (let i = 0; i < 5; i++) await webhooks.test(webhook.id);
    const takers = [ctx, there.ctx].flatMap((each) =>
      Array.from({ length: 5 }, () => takeNext(each, webhook.id)),
    );
    const taken = (await Promise.all(takers)).flatMap((each) => each?.delivery.id ?? []);
    expect([taken.length, new Set(taken).size]).toEqual([5, 5]);
    await WebhookDelivery.destroy({ where: {} });
  }
});

it('a new webhook is not told what happened before, although nobody has told the others yet', async () => {
  const url = 'http://127.0.0.1:9/';
  const { webhook: old } = await webhooks.create({ url, types: ['*'] });
  const happens = async (userId: string) => {
    await ctx.db.transaction(async () => ctx.events.emit('user.updated', { userId }));
    await sealAll(ctx);
  };
  const [before, after] = [uuid(), uuid()];
  await happens(before);
  const { webhook: young } = await webhooks.create({ url, types: ['*'] });
  await happens(after);
  await dispatch(ctx, await Webhook.findAll());
  const told = async (webhookId: string) =>
    (await WebhookDelivery.findAll({ where: { webhookId }, order: ['seq'] })).map(
      ({ subject }) => subject,
    );
  expect([await told(old.id), await told(young.id)]).toEqual([[before, after], [after]]);
  expect(await dispatch(ctx, await Webhook.findAll())).toBe(false);
});

it('of many who read the events at once, on two nodes, one makes each delivery', async () => {
  const there = await node(ownEnv);
  await webhooks.create({ url: 'http://127.0.0.1:9/', types: ['*'] });
  const enabled = await Webhook.findAll();
  await ctx.db.transaction(async () => {
    for (let i = 0; i < 250; i++) ctx.events.emit('user.updated', { userId: uuid() });
  });
  await sealAll(ctx);
  const readers = [ctx, there.ctx].flatMap((each) =>
    Array.from({ length: 4 }, async () => {
      while (await dispatch(each, enabled));
    }),
  );
  await Promise.all(readers);
  const rows = await WebhookDelivery.findAll({ order: ['seq'] });
  expect([rows.length, new Set(rows.map(({ eventId }) => eventId)).size]).toEqual([250, 250]);
});

it('two processes share the events: each event becomes one delivery, and goes once', async () => {
  const receiver = await startReceiver();
  const { webhook, secret } = await webhooks.create({ url: receiver.url, types: ['user.*'] });
  const processes = await Promise.all([1, 2].map(() => startProcess(env)));
  const users = await Promise.all(
    Array.from({ length: 20 }, (_, i) => registered(processes[i % 2]!, `shared${i}`)),
  );
  await Promise.all(users.map(({ rename }) => rename('Ada')));
  await receiver.hears(40);
  await eventually(async () => expect(await pending()).toBe(0));
  await sleep(200); // time in which more could arrive
  expect(receiver.heard).toHaveLength(40);
  expect(new Set(receiver.heard.map(({ body }) => body.id)).size).toBe(40);
  for (const { id } of users) {
    const own = receiver.heard.filter(({ body }) => body.data.userId === id);
    expect(own.map(({ body }) => body.type)).toEqual(['user.registered', 'user.updated']);
  }
  for (const { kill } of processes) await kill('SIGTERM');
  for (const { heard } of processes)
    expect(heard.stdout + heard.stderr).not.toContain(secret.slice('whsec_'.length));
  expect(await Webhook.findByPk(webhook.id)).toMatchObject({ failures: 0 });
});

it('kill -9 while an event is being sent loses nothing, and keeps the order', async () => {
  const receiver = await startReceiver();
  await webhooks.create({ url: receiver.url, types: ['user.*'] });
  receiver.answer(() => {}); // it has it, and does not say so
  const first = await startProcess(env);
  const { id, rename } = await registered(first, 'killed');
  await rename('Ada');
  await receiver.hears(1);
  await eventually(async () => expect(await pending()).toBe(2));
  await first.kill();
  receiver.answer(204);
  wait(LEASE - 5000);
  const stop = startWebhookWorker(ctx);
  await sleep(300); // time in which it could be sent too early
  expect(receiver.heard).toHaveLength(1);
  wait(5001);
  ctx.webhooks.wake();
  await receiver.hears(3);
  await eventually(async () => expect(await pending()).toBe(0));
  await stop();
  const own = receiver.heard.filter(({ body }) => body.data.userId === id);
  expect(own.map(({ body }) => body.type)).toEqual([
    'user.registered',
    'user.registered',
    'user.updated',
  ]);
  expect(own[1]!.headers['webhook-id']).toBe(own[0]!.headers['webhook-id']);
});

it('told to stop while the receiver is frozen, a process goes at once and leaves the event to others', async () => {
  const receiver = await startReceiver();
  await webhooks.create({ url: receiver.url, types: ['user.*'] });
  receiver.answer(() => {});
  const server = await startProcess(env);
  await registered(server, 'stopped');
  await receiver.hears(1);
  expect((await server.kill('SIGTERM')).code).toBe(0);
  const delivery = (await WebhookDelivery.findOne())!;
  expect(delivery.state).toBe('pending');
  expect(delivery.nextAttemptAt!.getTime()).toBeLessThanOrEqual(Date.now() + 1000);
  receiver.answer(204);
  wait(2000); // the clock of that process may have been ahead
  const stop = startWebhookWorker(ctx);
  await receiver.hears(2);
  await eventually(async () => expect(await pending()).toBe(0));
  await stop();
});

it('by https, a certificate is checked: one of an unknown authority is refused', async () => {
  const { file: cert, ...tls } = makeCertificate('IP:127.0.0.1');
  const receiver = await startReceiver({ tls });
  const { webhook, secret } = await webhooks.create({ url: receiver.url, types: ['user.*'] });
  const server = await startProcess(env);
  await registered(server, 'unknown-authority');
  const last = () =>
    eventually(async () => {
      const [delivery] = (await webhooks.deliveries(webhook.id, { limit: 1 })).data;
      expect(delivery!.lastError ?? delivery!.lastStatus).not.toBe(null);
      return delivery!;
    });
  expect(await last()).toMatchObject({ lastError: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  expect(receiver.heard).toEqual([]);
  await server.kill();
  await WebhookDelivery.destroy({ where: {} });
  await startProcess({ ...env, NODE_EXTRA_CA_CERTS: cert });
  await webhooks.test(webhook.id);
  const [heard] = await receiver.hears(1);
  expect(verified(secret, heard!)).toMatchObject({ type: 'webhook.test' });
});
