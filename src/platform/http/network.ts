import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';
import { clientIp } from '#src/platform/http/client-ip';

/**
 * The network of a client, for counting: the address with IPv4, its first 64 bits with IPv6. A client with one IPv6
 * address has all addresses of its /64. An IPv4-mapped IPv6 address counts as IPv4. All clients without an address share
 * the network `unknown`.
 */
export function networkOf(caller: { ip?: string | undefined }): string {
  const ip = clientIp(caller);
  if (ip === undefined) return 'unknown';
  if (isIPv4(ip)) return ip;
  const written = ipaddr.isValid(ip) ? ip : canonical(ip);
  if (!ipaddr.isValid(written)) return ip;
  const address = ipaddr.process(written);
  if (!('parts' in address)) return address.toString();
  const prefix = address.parts.slice(0, 4).map((part) => part.toString(16));
  return `${prefix.join(':')}::/64`;
}

/** An IPv6 address as RFC 5952 writes it. A proxy may use a form that not every parser knows, such as `::5.5.5.5`. */
const canonical = (ip: string): string => URL.parse(`http://[${ip}]`)?.hostname.slice(1, -1) ?? ip;
