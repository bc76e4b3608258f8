import { once } from 'node:events';
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { getRequestListener } from '@hono/node-server';
import type { FastifyInstance } from 'fastify';
import type { Hono } from 'hono';
import { expect, it, onTestFinished } from 'vitest';
import type { ProtectOptions } from '#src/protect/protect';
import { startApp } from '#test/support/app';
import { eventually } from '#test/support/eventually';
import { root } from '#test/support/process';
import { asking, listening } from '#test/support/second-service';

const app = await startApp();
const { auth, ask, ctx, register } = app;
app.startSealing();
await auth.roles.set('clerk', { permissions: ['invoices:read'] });

interface Example<App> {
  createBilling: (options: ProtectOptions) => { app: App; close: () => Promise<void> };
}
/** The code of docs/services.md itself. */
async function load<App>(name: string): Promise<Example<App>> {
  const page = readFileSync(join(root, 'docs/services.md'), 'utf8');
  const [, code] = new RegExp(
    `^### ${name}\\n[\\s\\S]*?^\`\`\`js\\n([\\s\\S]*?)^\`\`\`$`,
    'm',
  ).exec(page)!;
  const folder = resolve(`services-guide-${name}`);
  mkdirSync(folder);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const own = pathToFileURL(join(root, 'src/protect/protect.ts')).href;
  const file = join(folder, 'example.mjs');
  writeFileSync(file, code!.replace("'sallyport/protect'", `'${own}'`));
  return (await import(/* @vite-ignore */ pathToFileURL(file).href)) as Example<App>;
}

async function optionsOf(name: string): Promise<ProtectOptions> {
  const { service, secret } = await auth.services.create({
    name,
    scopes: ['introspect', 'changes'],
  });
  return { issuer: ctx.settings.jwtIssuer, url: app.url, service: { id: service.id, secret } };
}

it.each<
  [name: string, start: (options: ProtectOptions) => Promise<{ url: string; close: () => unknown }>]
>([
  [
    'express.js',
    async (options) => {
      const { app: express, close } = (await load<RequestListener>('express.js')).createBilling(
        options,
      );
      return { url: await listening(express), close };
    },
  ],
  [
    'fastify.js',
    async (options) => {
      const { app: fastify, close } = (await load<FastifyInstance>('fastify.js')).createBilling(
        options,
      );
      onTestFinished(() => fastify.close());
      return { url: await fastify.listen({ host: '127.0.0.1', port: 0 }), close };
    },
  ],
  [
    'hono.js',
    async (options) => {
      const { app: hono, close } = (await load<Hono>('hono.js')).createBilling(options);
      const server = createServer((req, res) => void getRequestListener(hono.fetch)(req, res));
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      onTestFinished(() => void server.close());
      return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
    },
  ],
])('%s of docs/services.md lets in whom it should, until they sign out', async (name, start) => {
  const { url, close } = await start(await optionsOf(name));
  onTestFinished(() => void close());
  const service = asking(url);
  const [ada, bob] = [await register({}, 'clerk'), await register()];
  const stranger = await service('/invoices');
  expect([stranger.status, stranger.body.code]).toEqual([401, 'token_missing']);
  expect(stranger.headers.get('content-type')).toContain('application/problem+json');
  expect(stranger.headers.get('www-authenticate')).toContain('Bearer');
  const refused = await service('/invoices', bob.token);
  expect([refused.status, refused.body.required]).toEqual([403, ['invoices:read']]);
  expect((await service('/invoices', ada.token)).body).toEqual({ of: ada.username });
  await ask('POST', '/auth/logout', { token: ada.token, body: {} });
  await eventually(async () => {
    expect((await service('/invoices', ada.token)).status).toBe(401);
  });
});
