import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import { list } from '#src/platform/settings/types';

/** Where webhooks may go besides public addresses. @public The built types name it. */
export interface AllowedNetworks {
  /** Names of hosts, in small letters. */
  readonly hosts: readonly string[];
  readonly networks: BlockList;
}

/** What ends in a number would be read as an IPv4 address. */
const isHost = (text: string): boolean =>
  text.length <= 253 &&
  text.split('.').every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label)) &&
  !/(^|\.)\d+$/.test(text);

function addNetwork(networks: BlockList, text: string): boolean {
  const [, address = '', bits] = /^([\da-f:.]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const family = isIP(address);
  const longest = family === 4 ? 32 : 128;
  const prefix = Number(bits ?? longest);
  if (family === 0 || prefix < 1 || prefix > longest) return false;
  networks.addSubnet(address, prefix, family === 4 ? 'ipv4' : 'ipv6');
  return true;
}

const allowedNetworks = list.transform((items, context): AllowedNetworks => {
  const networks = new BlockList();
  const others = items
    .map((item) => item.toLowerCase())
    .filter((item) => !addNetwork(networks, item));
  if (others.every(isHost)) return { hosts: others, networks };
  context.addIssue({
    code: 'custom',
    message:
      'must be a comma-separated list of networks, addresses and names of hosts, such as 10.20.0.0/16, fd00::/8, hooks.internal',
  });
  return z.NEVER;
});

/** Where events may be sent. */
export const webhookSettings = {
  WEBHOOK_ALLOWED_NETWORKS: allowedNetworks
    .prefault([])
    .describe(
      'Networks, addresses and names of hosts that webhooks may call although they are not public, comma-separated: 10.20.0.0/16, fd00::/8, hooks.internal. There, http:// is allowed, too. Default: none.',
    ),
};
