import { BlockList, isIPv4, isIPv6 } from 'node:net';
import type { AllowedNetworks } from '#src/platform/settings/webhooks';

/** IPv4 networks that are not of the public Internet (IANA IPv4 Special-Purpose Address Registry, RFC 5771, RFC 1112). */
const SPECIAL_IPV4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
] as const;
/** Global unicast of IPv6 (RFC 4291 §2.4). Loopback, link-local, ULA, multicast, mapped and translated IPv4 are outside. */
const GLOBAL_IPV6 = '2000::/3';
/** Inside of it: Teredo and other protocols (2001::/23), documentation, 6to4, which holds an IPv4 address. */
const SPECIAL_IPV6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'] as const;

/** Which addresses a webhook may call. */
export interface AddressRules {
  /** `url` says the scheme and the name of the host, `address` is one of its addresses. */
  mayCall(url: URL, address: string): boolean;
}

/** The host of a URL as names and addresses are compared: without brackets and the dot at the end. */
export const hostOf = ({ hostname }: URL): string =>
  hostname.replaceAll(/^\[|\]$/g, '').replace(/\.$/, '');

/** Public addresses by https, and what WEBHOOK_ALLOWED_NETWORKS names by http, too. */
export function addressRules({ hosts, networks }: AllowedNetworks): AddressRules {
  const special = listOf([...SPECIAL_IPV4, ...SPECIAL_IPV6]);
  const global = listOf([GLOBAL_IPV6]);
  const isPublic = (address: string): boolean =>
    isIPv4(address)
      ? !special.check(address, 'ipv4')
      : global.check(address, 'ipv6') && !special.check(address, 'ipv6');
  return {
    mayCall(url, address) {
      if (!isIPv4(address) && !(isIPv6(address) && !address.includes('%'))) return false;
      if (hosts.includes(hostOf(url))) return true;
      if (networks.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')) return true;
      return url.protocol === 'https:' && isPublic(address);
    },
  };
}

function listOf(subnets: readonly string[]): BlockList {
  const list = new BlockList();
  for (const subnet of subnets) {
    const [address, prefix] = subnet.split('/') as [string, string];
    list.addSubnet(address, Number(prefix), isIPv4(address) ? 'ipv4' : 'ipv6');
  }
  return list;
}
