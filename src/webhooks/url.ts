import { isIP } from 'node:net';
import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import { hostOf } from '#src/webhooks/addresses';

/** How long the names of a host are looked for when a webhook is made, in milliseconds. */
const RESOLVE_TIMEOUT_MS = 3000;

/**
 * The address of a webhook as it is stored. Undefined for what is none. Numbers of IPv4 in any form are read as browsers
 * do (WHATWG URL), so `https://0x7f.1` is 127.0.0.1 here and everywhere after.
 */
export function parseWebhookUrl(text: string): string | undefined {
  if (/\s/.test(text) || !URL.canParse(text)) return undefined;
  const { protocol, hostname, port, username, password, href } = new URL(text);
  if (!/^https?:$/.test(protocol) || hostname === '' || port === '0') return undefined;
  return username || password || href.includes('#') || href.length > 2000 ? undefined : href;
}

/**
 * Refuses a host that has an address which webhooks may not call. Which addresses a name has, and whether it has any, is
 * not told: it may be a name of an inner network. Each connection is checked again, because names change.
 * @throws {Problem} 400 `invalid_request`
 */
export async function requireCallable({ webhooks }: Context, href: string): Promise<void> {
  const url = new URL(href);
  const host = hostOf(url);
  const addresses = isIP(host) ? [host] : await addressesOf(webhooks, host);
  const rules = webhooks.rules();
  if (addresses.length > 0 && addresses.every((address) => rules.mayCall(url, address))) return;
  const message =
    'This host has no address, or one that webhooks may not call, or only by https: see WEBHOOK_ALLOWED_NETWORKS';
  const errors = [{ pointer: '/url', code: 'address_refused', message }];
  throw new Problem('invalid_request', { members: { errors } });
}

async function addressesOf({ resolve }: Context['webhooks'], host: string): Promise<string[]> {
  const timeout = Promise.withResolvers<never[]>();
  const timer = setTimeout(() => timeout.resolve([]), RESOLVE_TIMEOUT_MS);
  try {
    const found = await Promise.race([resolve(host).catch(() => []), timeout.promise]);
    return found.map(({ address }) => address);
  } finally {
    clearTimeout(timer);
  }
}
