import { isIP } from 'node:net';

/** The caller's address, or undefined if a proxy that is trusted has passed on something that is none. */
export function clientIp({ ip: passedOn = '' }: { ip?: string | undefined }): string | undefined {
  const ip = passedOn.replace(WITH_PORT, '$1$2');
  return isIP(ip) && !ip.includes('%') ? ip : undefined;
}

/** Some proxies write the port, too: `192.0.2.1:5000`, `[2001:db8::1]:5000`. */
const WITH_PORT = /^(?:([\d.]+):\d+|\[([^\]]+)\](?::\d+)?)$/;
