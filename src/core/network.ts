import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { clientIp } from '#src/core/client-ip';

/**
 * What an attacker has to change to be somebody else: the address with IPv4, the first 64 bits of it with IPv6, where whoever has
 * one address has all of them. An IPv4 address that is written as IPv6 is one. Whoever has no address shares one network.
 */
export function networkOf(caller: { ip?: string | undefined }): string {
  const ip = clientIp(caller);
  if (ip === undefined) return 'unknown';
  if (isIPv4(ip)) return ip;
  const spelt = ipaddr.isValid(ip) ? ip : usual(ip);
  if (!ipaddr.isValid(spelt)) return ip;
  const address = ipaddr.process(spelt);
  return 'parts' in address
    ? `${address.parts
        .slice(0, 4)
        .map((part) => part.toString(16))
        .join(':')}::/64`
    : address.toString();
}

/** An IPv6 address as RFC 5952 writes it: a proxy may spell it in ways that not every parser knows, `::5.5.5.5` for one. */
const usual = (ip: string): string => URL.parse(`http://[${ip}]`)?.hostname.slice(1, -1) ?? ip;
