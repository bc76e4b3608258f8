import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it, onTestFinished, vi } from 'vitest';
import { startApp } from '#test/support/app';
import { SECOND, wait } from '#test/support/clock';
import { eventually } from '#test/support/eventually';
import { root } from '#test/support/process';
import { startReceiver } from '#test/support/receiver';

interface Told {
  id: string;
  type: string;
  data: object;
}
interface Guide {
  createReceiver: (secret: string, handle: (event: Told) => unknown) => Server;
}
/** The code of docs/webhooks.md itself. */
async function load(): Promise<Guide> {
  const page = readFileSync(join(root, 'docs/webhooks.md'), 'utf8');
  const [, code] = /^### receiver\.js\n[\s\S]*?^```js\n([\s\S]*?)^```$/m.exec(page)!;
  const file = resolve('webhooks-guide', 'receiver.mjs');
  mkdirSync('webhooks-guide');
  symlinkSync(join(root, 'node_modules'), 'webhooks-guide/node_modules');
  writeFileSync(file, code!);
  return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Guide;
}

it('the receiver of docs/webhooks.md handles each event once, and refuses what is not signed', async () => {
  const app = await startApp({ WEBHOOK_ALLOWED_NETWORKS: '127.0.0.1' });
  app.startSealing();
  const { auth, ctx, register } = app;
  const { createReceiver } = await load();
  const { port, hangUp } = await startReceiver();
  await hangUp(); // its port is free
  const url = `http://127.0.0.1:${port}/`;
  const { webhook, secret } = await auth.webhooks.create({ url, types: ['user.registered'] });
  let fails = true;
  const handled: Told[] = [];
  const server = createReceiver(secret, (event) => {
    if (fails) throw new Error('on purpose');
    handled.push(event);
  }).listen(port, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    vi.useRealTimers();
    server.closeAllConnections();
    server.close();
  });
  expect((await fetch(url, { method: 'POST', body: '{"type":"user.registered"}' })).status).toBe(
    401,
  );
  const newest = async () => (await auth.webhooks.deliveries(webhook.id, { limit: 1 })).data[0]!;
  const me = await register();
  await eventually(async () => expect((await newest()).lastStatus).toBe(500));
  fails = false;
  wait(10 * SECOND);
  ctx.webhooks.wake();
  await eventually(async () => expect((await newest()).state).toBe('delivered'));
  await auth.webhooks.redeliver(webhook.id, (await newest()).id);
  await eventually(async () =>
    expect(await newest()).toMatchObject({ state: 'delivered', attempts: 3 }),
  );
  expect(handled).toMatchObject([{ type: 'user.registered', data: { userId: me.id } }]);
});
