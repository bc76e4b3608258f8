import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import express from 'express';
import { onTestFinished } from 'vitest';
import { protect, type ProtectOptions } from '#src/protect/protect';
import type { startApp } from '#test/support/app';
import { authProxy } from '#test/support/auth-proxy';

type App = Awaited<ReturnType<typeof startApp>>;

/** Listens on a free port until the test is over. */
export async function listening(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Asks a service as a client does. */
export const asking =
  (url: string) =>
  async (path: string, token?: string, headers: object = {}) => {
    const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const answer = await fetch(url + path, { headers: { ...authorization, ...headers } });
    const text = await answer.text();
    // eslint-disable-next-line typescript/no-explicit-any -- a test says itself what it expects in there
    const body: any = text ? JSON.parse(text) : undefined;
    return { status: answer.status, headers: answer.headers, body };
  };

/** Another service whose routes `sallyport/protect` guards, and a proxy between it and the auth server. */
export async function secondService(app: App, options: Partial<ProtectOptions> = {}) {
  const name = `service-${app.unusedName()}`;
  const made = await app.auth.services.create({ name, scopes: ['introspect', 'changes'] });
  const proxy = await authProxy(app.url);
  const warnings: string[] = [];
  const protection = protect({
    issuer: app.ctx.settings.jwtIssuer,
    url: proxy.url,
    service: { id: made.service.id, secret: made.secret },
    warn: (message) => warnings.push(message),
    ...options,
  });
  onTestFinished(() => protection.close());
  const { authenticate, requireRole, requirePermission } = protection;
  const service = express();
  service.get('/who', authenticate(), (req, res) => void res.json(req.auth));
  service.get('/desk', authenticate(), requireRole('editor', 'clerk'), (req, res) => {
    res.json({ for: req.auth!.username });
  });
  service.get('/invoices', authenticate(), requirePermission('invoices:read'), (_req, res) => {
    res.json([]);
  });
  service.get('/forgotten', requireRole('editor'), (_req, res) => void res.json({}));
  const url = await listening(service);
  return { ...protection, url, proxy, warnings, ask: asking(url) };
}
