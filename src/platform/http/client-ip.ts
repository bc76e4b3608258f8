import { isIP } from 'node:net';
import type { Express, Request } from 'express';
import type { Settings } from '#src/platform/settings/settings';

/** Some proxies add the port: `192.0.2.1:5000`, `[2001:db8::1]:5000`. */
const WITH_PORT = /^(?:([\d.]+):\d+|\[([^\]]+)\](?::\d+)?)$/;

/** The address of the client. Undefined if a trusted proxy forwarded something that is no address. */
export function clientIp({ ip: forwarded = '' }: { ip?: string | undefined }): string | undefined {
  if (isIP(forwarded) && !forwarded.includes('%')) return forwarded; // almost always
  const ip = forwarded.replace(WITH_PORT, '$1$2');
  return isIP(ip) && !ip.includes('%') ? ip : undefined;
}

/**
 * Where no proxy is trusted, the address is that of the connection. Express would read `X-Forwarded-For` for each request,
 * to ignore it.
 */
export function ignoreForwarded(app: Express, { trustProxy }: Pick<Settings, 'trustProxy'>): void {
  if (trustProxy !== 0) return;
  const get = function (this: Request) {
    return this.socket.remoteAddress;
  };
  Object.defineProperty(app.request, 'ip', { configurable: true, enumerable: true, get });
}
