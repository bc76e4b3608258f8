import { isIP } from 'node:net';

/** Some proxies add the port: `192.0.2.1:5000`, `[2001:db8::1]:5000`. */
const WITH_PORT = /^(?:([\d.]+):\d+|\[([^\]]+)\](?::\d+)?)$/;

/** The address of the client. Undefined if a trusted proxy forwarded something that is no address. */
export function clientIp({ ip: forwarded = '' }: { ip?: string | undefined }): string | undefined {
  const ip = forwarded.replace(WITH_PORT, '$1$2');
  return isIP(ip) && !ip.includes('%') ? ip : undefined;
}
