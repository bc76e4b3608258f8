import { setTimeout as sleep } from 'node:timers/promises';
import { Op } from 'sequelize';
import { expect, it, vi, onTestFinished } from 'vitest';
import { startApp } from '#test/support/app';
import { DAY, SECOND, wait } from '#test/support/clock';
import { eventually } from '#test/support/eventually';
import { times } from '#test/support/limited';
import { rounds } from '#test/support/rounds';
import { startReceiver, verified, type Heard } from '#test/support/receiver';

const USERS = 20;
const EVENTS = rounds(300, 1000);

/** For so long others wait during an attempt. No pause is as long: see src/webhooks/retry.ts. */
const LEASE = 60 * SECOND;

const app = await startApp({ WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1' });
app.startSealing();
const { auth, ctx, register, AuditEntry, Webhook, WebhookDelivery } = app;

/** Waits until nothing is tried any more: a clock that jumps ends the lease of what is. */
const stopped = () =>
  eventually(async () => {
    const attempts = () => WebhookDelivery.sum('attempts');
    const leased = [LEASE - 2 * SECOND, LEASE].map((ms) => ctx.clock.date(ms)) as [Date, Date];
    const before = await attempts();
    await sleep(200);
    expect(await attempts()).toBe(before);
    const underWay = { nextAttemptAt: { [Op.between]: leased } };
    expect(await WebhookDelivery.count({ where: underWay })).toBe(0);
  });

it('W-05 delivers every event of a day in which the receiver was down, in order per user, and none again that was acknowledged', async () => {
  wait(0);
  onTestFinished(() => void vi.useRealTimers());
  const receiver = await startReceiver();
  await receiver.hangUp();
  const types = ['user.registered', 'user.updated'];
  const { webhook, secret } = await auth.webhooks.create({ url: receiver.url, types });
  // One by one: a busy machine refuses a password when too many wait to be hashed (503 `busy`).
  const users = await times(USERS, () => register());
  for (let i = 1; i < EVENTS / USERS; i++) {
    const all = users.map((user) => user.ask('PATCH', '/me', { body: { name: `name ${i}` } }));
    for (const { status } of await Promise.all(all)) expect(status).toBe(200);
    if (i % 5 === 0) {
      wait(60 * SECOND);
      ctx.webhooks.wake();
    }
  }
  await eventually(async () => expect(await WebhookDelivery.count()).toBe(EVENTS));
  for (let hour = 0; hour < 24; hour++) {
    wait(DAY / 24);
    ctx.webhooks.wake();
    await eventually(async () => {
      const { retryAt } = (await Webhook.findByPk(webhook.id))!;
      expect(retryAt!.getTime()).toBeGreaterThan(ctx.clock.now());
    });
  }
  expect(await WebhookDelivery.count({ where: { state: 'pending' } })).toBe(EVENTS);

  // It is not quite well yet: some requests fail, and are repeated.
  const acknowledged: Heard[] = [];
  receiver.answer((res, heard) => {
    const fails = Math.random() < 0.05;
    if (!fails) acknowledged.push(heard);
    res.writeHead(fails ? (Math.random() < 0.5 ? 500 : 422) : 204).end();
  });
  await receiver.comeBack();
  const end = Date.now() + DAY;
  while ((await WebhookDelivery.count({ where: { state: 'pending' } })) > 0) {
    expect(Date.now()).toBeLessThan(end);
    ctx.webhooks.wake();
    await stopped();
    wait(45 * SECOND);
  }
  expect(await WebhookDelivery.count({ where: { state: 'delivered' } })).toBe(EVENTS);
  const ids = acknowledged.map(({ headers }) => headers['webhook-id']!);
  expect(new Set(ids).size).toBe(EVENTS);
  expect(ids).toHaveLength(EVENTS);
  const entries = await AuditEntry.findAll({ where: { id: ids } });
  const places = new Map(entries.map(({ id, seq }) => [id, Number(seq)]));
  const byUser = Map.groupBy(acknowledged, ({ body }) => body.data.userId as string);
  expect(byUser.size).toBe(USERS);
  for (const heard of byUser.values()) {
    const seqs = heard.map(({ headers }) => places.get(headers['webhook-id']!)!);
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b));
    expect(heard[0]!.body.type).toBe('user.registered');
  }
  expect(verified(secret, { ...acknowledged.at(-1)! })).toBeTruthy();
}, 300_000);
