import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Op } from 'sequelize';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { purgeDeliveries } from '#src/webhooks/give-up';
import { startApp } from '#test/support/app';
import { DAY, SECOND, wait } from '#test/support/clock';
import { eventually } from '#test/support/eventually';
import { startReceiver } from '#test/support/receiver';

const HOUR = 3600 * SECOND;
/** For so long others wait during an attempt. No pause is as long: see src/webhooks/retry.ts. */
const LEASE = 60 * SECOND;
const { auth, ctx, Webhook, WebhookDelivery } = await startApp({
  WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1',
});
const events: { name: string }[] = [];
ctx.events.onAny((name, event) => void events.push({ name, ...event }));
const named = (name: string) => events.filter((event) => event.name === name);

beforeEach(() => wait(0));
afterEach(async () => {
  vi.useRealTimers();
  await Webhook.destroy({ where: {} });
  events.length = 0;
});

const create = async (url: string) =>
  (await auth.webhooks.create({ url, types: ['*'] })).webhook.id;
/** A webhook that was tried once. */
async function tried(url: string) {
  const id = await create(url);
  await auth.webhooks.test(id);
  return { id, delivery: await attempted(id, 1) };
}
const newest = async (id: string) => (await auth.webhooks.deliveries(id, { limit: 1 })).data[0]!;
/** The delivery when so many attempts are over. */
const attempted = (id: string, attempts: number) =>
  eventually(async () => {
    const delivery = await newest(id);
    expect(delivery.attempts).toBe(attempts);
    expect(delivery.lastStatus ?? delivery.lastError).not.toBe(null);
    const pause = (delivery.nextAttemptAt?.getTime() ?? 0) - ctx.clock.now();
    if (delivery.state === 'pending') expect(Math.abs(pause - LEASE)).toBeGreaterThan(10 * SECOND);
    return delivery;
  });
const settled = (id: string, state: string) =>
  eventually(async () => {
    const delivery = await newest(id);
    expect(delivery.state).toBe(state);
    return delivery;
  });
/** Lets all pauses pass. */
const later = (ms = 2 * HOUR) => {
  wait(ms);
  ctx.webhooks.wake();
};

/** Answers each connection with bytes of its own. */
async function startRaw(answer: (socket: Socket) => unknown) {
  const sockets = new Set<Socket>();
  let closed = 0;
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}).on('close', () => closed++));
    socket.once('data', () => void answer(socket));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, closed: () => closed };
}

describe('W-02 a receiver that', () => {
  const unanswered: [string, (socket: Socket) => unknown, string][] = [
    ['answers nothing', () => {}, 'timeout'],
    [
      'sends its headers slowly',
      async (socket) => {
        for (const letter of `HTTP/1.1 200 OK\r\nX-Slow: ${'x'.repeat(99)}`) {
          socket.write(letter);
          await sleep(300);
        }
      },
      'timeout',
    ],
    ['hangs up', (socket) => socket.destroy(), 'ECONNRESET'],
    ['hangs up in its headers', (socket) => socket.end('HTTP/1.1 200 OK\r\nX-'), 'ECONNRESET'],
    ['speaks no HTTP', (socket) => socket.end('SSH-2.0-OpenSSH\r\n'), 'HPE_INVALID_CONSTANT'],
    [
      'has endless headers',
      async (socket) => {
        socket.write('HTTP/1.1 200 OK\r\n');
        while (!socket.destroyed) {
          socket.write(`X-More: ${'x'.repeat(8000)}\r\n`);
          await sleep(1);
        }
      },
      'HPE_HEADER_OVERFLOW',
    ],
    [
      'only ever informs',
      async (socket) => {
        while (!socket.destroyed) {
          socket.write('HTTP/1.1 102 Processing\r\n\r\n');
          await sleep(100);
        }
      },
      'timeout',
    ],
    [
      'wants another protocol',
      (socket) =>
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n',
        ),
      'no_answer',
    ],
  ];
  it('answers nothing that can be understood, or not in time, is tried again', async () => {
    const attempts = unanswered.map(async ([what, answer, lastError]) => {
      const raw = await startRaw(answer);
      const { delivery } = await tried(raw.url);
      expect(delivery, what).toMatchObject({ state: 'pending', lastStatus: null, lastError });
      await eventually(() => expect(raw.closed(), what).toBe(1));
    });
    await Promise.all(attempts);
  }, 60_000);

  it('has acknowledged is heard no longer: its answer may be long, or never end', async () => {
    const more: ((socket: Socket) => unknown)[] = [
      (socket) => socket.write('x'.repeat(10_000_000)),
      async (socket) => {
        while (!socket.destroyed) {
          socket.write('x');
          await sleep(100);
        }
      },
      () => {},
    ];
    const attempts = more.map(async (next) => {
      const raw = await startRaw((socket) => {
        socket.write('HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n');
        return next(socket);
      });
      const { id } = await tried(raw.url);
      expect(await settled(id, 'delivered')).toMatchObject({ lastStatus: 200, attempts: 1 });
      await eventually(() => expect(raw.closed()).toBe(1));
    });
    await Promise.all(attempts);
  }, 60_000);

  it.each([301, 304, 307, 400, 401, 404, 408, 429, 500, 503])(
    'answers %s is tried again, and has it when it takes it',
    async (status) => {
      const receiver = await startReceiver();
      receiver.answer(status);
      const { id, delivery } = await tried(receiver.url);
      expect(delivery).toMatchObject({ state: 'pending', lastStatus: status, lastError: null });
      receiver.answer(200);
      later();
      await settled(id, 'delivered');
      const [first, second] = receiver.heard;
      expect(second!.text).toBe(first!.text);
      expect(second!.headers['webhook-id']).toBe(first!.headers['webhook-id']);
      expect(second!.headers['webhook-timestamp']).not.toBe(first!.headers['webhook-timestamp']);
    },
  );

  it('is not there is tried again', async () => {
    const receiver = await startReceiver();
    await receiver.hangUp();
    const { id, delivery } = await tried(receiver.url);
    expect(delivery).toMatchObject({ state: 'pending', lastError: 'ECONNREFUSED' });
    await receiver.comeBack();
    later();
    await settled(id, 'delivered');
  });

  it('is gone (410) is switched off, with an event', async () => {
    const receiver = await startReceiver();
    receiver.answer(410);
    const { id } = await tried(receiver.url);
    await settled(id, 'failed');
    expect(await Webhook.findByPk(id)).toMatchObject({ disabledWhy: 'gone' });
    expect(named('webhook.disabled')).toEqual([
      { name: 'webhook.disabled', webhookId: id, why: 'gone' },
    ]);
    later();
    await sleep(100);
    expect(receiver.heard).toHaveLength(1);
  });

  it('asks for a pause (Retry-After) gets it', async () => {
    const receiver = await startReceiver();
    receiver.answer((res) => res.writeHead(503, { 'retry-after': '1800' }).end());
    const { id } = await tried(receiver.url);
    const { retryAt } = (await Webhook.findByPk(id))!;
    const pause = retryAt!.getTime() - ctx.clock.now();
    expect(Math.abs(pause - 1800 * SECOND)).toBeLessThan(5 * SECOND);
  });
});

describe('a delivery that fails', () => {
  it('is tried again later each time, up to three days; then it is given up, and can be repeated', async () => {
    const receiver = await startReceiver();
    receiver.answer(422); // about this event: the webhook itself does not rest
    const begun = Date.now();
    const { id } = await tried(receiver.url);
    const pauses: number[] = [];
    for (let attempts = 1; ; attempts++) {
      const { nextAttemptAt, state } = await attempted(id, attempts);
      if (state === 'failed') break;
      const pause = nextAttemptAt!.getTime() - ctx.clock.now();
      pauses.push(pause / 1000);
      later(pause + 10);
    }
    const lasted = Date.now() - begun;
    expect(lasted).toBeGreaterThan(3 * DAY - 1.2 * HOUR);
    expect(lasted).toBeLessThan(3 * DAY + HOUR);
    for (const [i, pause] of pauses.entries()) {
      const least = Math.min(5 * 2 ** i, 3600);
      expect(pause).toBeGreaterThanOrEqual(least - 1);
      expect(pause).toBeLessThanOrEqual(least * 1.1 + 1);
    }
    expect(named('webhook.gave_up')).toEqual([
      { name: 'webhook.gave_up', webhookId: id, deliveries: 1 },
    ]);
    receiver.answer(204);
    await auth.webhooks.redeliver(id, (await newest(id)).id);
    await settled(id, 'delivered');
  }, 300_000);

  it('is given up in three days also if the webhook rests, or is off', async () => {
    const receiver = await startReceiver();
    receiver.answer(500);
    const ids = [await create(receiver.url), await create(receiver.url)];
    for (const id of ids) for (let i = 0; i < 3; i++) await auth.webhooks.test(id);
    await eventually(async () => expect(await Webhook.count({ where: { failures: 0 } })).toBe(0));
    await auth.webhooks.update(ids[1]!, { enabled: false });
    wait(3 * DAY + SECOND);
    await purgeDeliveries(ctx);
    // What is tried at this moment ends by itself.
    await eventually(async () =>
      expect(await WebhookDelivery.count({ where: { state: 'pending' } })).toBe(0),
    );
    expect(named('webhook.gave_up').length).toBeGreaterThanOrEqual(2);
    wait(30 * DAY + SECOND);
    await purgeDeliveries(ctx);
    expect(await WebhookDelivery.count()).toBe(0);
  });
});

describe('a webhook whose receiver is down', () => {
  it('rests: one delivery at a time is tried, in pauses of up to five minutes', async () => {
    const receiver = await startReceiver();
    receiver.answer(500);
    const { id } = await tried(receiver.url);
    for (let i = 0; i < 20; i++) await auth.webhooks.test(id);
    await receiver.hears(2); // each test tries at once
    await eventually(async () => expect((await Webhook.findByPk(id))!.retryAt).not.toBe(null));
    for (let i = 0; i < 20; i++) {
      const { failures, retryAt } = await resting(id);
      const before = receiver.heard.length;
      const pause = retryAt!.getTime() - ctx.clock.now();
      expect(pause).toBeLessThanOrEqual(330 * SECOND);
      wait(pause - 1);
      ctx.webhooks.wake();
      await sleep(20);
      expect(receiver.heard.length).toBe(before);
      later(2);
      await receiver.hears(before + 1);
      expect((await eventually(() => more(id, failures))).failures).toBe(failures + 1);
      expect(receiver.heard.length).toBe(before + 1);
    }
    expect(named('webhook.failing')).toEqual([{ name: 'webhook.failing', webhookId: id }]);
    receiver.answer(204);
    for (let i = 0; i < 3; i++) {
      later();
      await sleep(50);
    }
    await eventually(async () =>
      expect(await WebhookDelivery.count({ where: { state: 'delivered' } })).toBe(21),
    );
    expect(named('webhook.recovered')).toEqual([{ name: 'webhook.recovered', webhookId: id }]);
    expect(await Webhook.findByPk(id)).toMatchObject({
      failures: 0,
      failingSince: null,
      retryAt: null,
    });
  });
  /** The webhook when nothing is under way: an attempt holds it for LEASE. */
  const resting = (id: string) =>
    eventually(async () => {
      const webhook = (await Webhook.findByPk(id))!;
      const pause = webhook.retryAt!.getTime() - ctx.clock.now();
      const least = Math.min(5 * 2 ** (webhook.failures - 1), 300) * SECOND;
      expect(pause).toBeGreaterThanOrEqual(least - 100);
      expect(pause).toBeLessThanOrEqual(least * 1.1 + 100);
      const aboutLease = [LEASE - 5 * SECOND, LEASE + SECOND].map((ms) => ctx.clock.date(ms));
      const underWay = { nextAttemptAt: { [Op.between]: aboutLease as [Date, Date] } };
      expect(await WebhookDelivery.count({ where: underWay })).toBe(0);
      return webhook;
    });
  async function more(id: string, failures: number) {
    const webhook = (await Webhook.findByPk(id))!;
    expect(webhook.failures).toBeGreaterThan(failures);
    return webhook;
  }

  it('holds up no other webhook', async () => {
    const [slow, fine] = await Promise.all([startReceiver(), startReceiver()]);
    slow.answer(() => {});
    const slowId = await create(slow.url);
    for (let i = 0; i < 10; i++) await auth.webhooks.test(slowId);
    await slow.hears(4);
    const { id } = await tried(fine.url);
    await settled(id, 'delivered');
    expect(slow.heard.length).toBe(4);
  });

  it('is not down if it refuses an event (422): others go on', async () => {
    const receiver = await startReceiver();
    const id = await create(receiver.url);
    let refused: string | undefined;
    receiver.answer((res, { headers }) => {
      refused ??= headers['webhook-id']!;
      res.writeHead(headers['webhook-id'] === refused ? 422 : 204).end();
    });
    for (let i = 0; i < 5; i++) await auth.webhooks.test(id);
    await eventually(async () =>
      expect(await WebhookDelivery.count({ where: { state: 'delivered' } })).toBe(4),
    );
    expect((await Webhook.findByPk(id))!.failures).toBe(0);
  });
});
