import { isIPv4 } from 'node:net';
import ipaddr, { type IPv4, type IPv6 } from 'ipaddr.js';
import { clientIp } from '#src/platform/http/client-ip';
import type { Settings } from '#src/platform/settings/settings';

/**
 * The network of a client, for counting: the address with IPv4, its first 64 bits with IPv6. A client with one IPv6
 * address has all addresses of its /64. An IPv4-mapped IPv6 address counts as IPv4. All clients without an address share
 * the network `unknown`.
 */
export function networkOf(caller: { ip?: string | undefined }): string {
  const ip = clientIp(caller);
  if (ip === undefined) return 'unknown';
  if (isIPv4(ip)) return ip;
  return prefixOf(ip, 64) ?? parsed(ip)?.toString() ?? ip;
}

/**
 * The site of a client with an IPv6 address: its first 48 bits (RFC 6177). Whoever has a /48 has 65 536 networks. With
 * IPv4 there is none: what lies beside an address belongs to others.
 */
export const siteOf = (caller: { ip?: string | undefined }): string | undefined => {
  const ip = clientIp(caller);
  return ip === undefined || isIPv4(ip) ? undefined : prefixOf(ip, 48);
};

/** By how much the limits of this client are multiplied: see LIMITS_SHARED_NETWORKS. */
export function sharedFactor(
  { limitsSharedNetworks }: Pick<Settings, 'limitsSharedNetworks'>,
  caller: { ip?: string | undefined },
): number {
  if (limitsSharedNetworks.length === 0) return 1;
  const address = parsed(clientIp(caller) ?? '');
  if (!address) return 1;
  const [text, kind] = [address.toString(), address.kind()];
  return limitsSharedNetworks.find(({ network }) => network.check(text, kind))?.factor ?? 1;
}

/** The first bits of an IPv6 address that is no IPv4 address. */
function prefixOf(ip: string, bits: number): string | undefined {
  const address = parsed(ip);
  if (!address || !('parts' in address)) return undefined;
  const prefix = address.parts.slice(0, bits / 16).map((part) => part.toString(16));
  return `${prefix.join(':')}::/${bits}`;
}

function parsed(ip: string): IPv4 | IPv6 | undefined {
  const written = ipaddr.isValid(ip) ? ip : canonical(ip);
  return ipaddr.isValid(written) ? ipaddr.process(written) : undefined;
}

/** An IPv6 address as RFC 5952 writes it. A proxy may use a form that not every parser knows, such as `::5.5.5.5`. */
const canonical = (ip: string): string => URL.parse(`http://[${ip}]`)?.hostname.slice(1, -1) ?? ip;
