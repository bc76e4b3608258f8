import { createRequire } from 'node:module';
import type { Request } from 'express';
import type { z } from 'zod';
import type { Session } from '#models/index';
import type { SessionOrigin } from '#models/user';
import { clientIp } from '#src/platform/http/client-ip';
import { provenKeyOf } from '#src/platform/http/proven-key';
import { DeviceName, type DeviceInput } from '#src/strategy-kit/device-input';
import { isPlainWords } from '#src/user-mail/wording';

type OptionalText = string | null | undefined;
export interface Device {
  kind?: OptionalText;
  name?: OptionalText;
  platform?: OptionalText;
  userAgent?: OptionalText;
  ip?: OptionalText;
  /** Thumbprint of the key that it has proved to hold (RFC 9449). */
  dpopKey?: OptionalText;
}

/** The device of a request: what the client says about it, its user agent and its address. */
export const deviceOf = (
  req: Pick<Request, 'headers' | 'ip'>,
  input: z.output<typeof DeviceInput> = {},
): Device => ({
  ...input,
  userAgent: req.headers['user-agent']?.slice(0, 255),
  ip: clientIp(req),
  dpopKey: provenKeyOf(req),
});

/** The device as its owner sees it: what the client said about it, else what its user agent says. */
export function deviceLabel(
  session: Pick<Session, 'deviceKind' | 'deviceName' | 'devicePlatform' | 'userAgent'>,
) {
  // Loaded when the first device is to be named: its tables of browsers take half a megabyte.
  const { parse } = createRequire(import.meta.url)('bowser') as typeof import('bowser');
  const { browser, os } = parse(session.userAgent || '-');
  const agent = [browser.name, os.name].filter(Boolean).join(' on ');
  return {
    kind: session.deviceKind,
    name: session.deviceName ?? DeviceName.safeParse(agent).data ?? null,
    platform: session.devicePlatform ?? os.name ?? null,
  };
}

/**
 * The same for equal devices: what `deviceLabel` says, or the first product of a user agent that it does not know, such as
 * `okhttp`. Versions are left out. Undefined for a device that says nothing of itself.
 */
export function deviceKey(origin: SessionOrigin): string | undefined {
  const { kind, name, platform } = deviceLabel(origin);
  const known = name ?? (/^[\w.-]+/.exec(origin.userAgent ?? '')?.[0] || null);
  return known === null && platform === null ? undefined : JSON.stringify([kind, known, platform]);
}

/**
 * A device in the words of a mail, such as `Firefox on Linux`. Null if nothing is known. What a client calls itself is left
 * out if mail programs could make a link of it: whoever knows a password must not write into the mail.
 */
export function deviceWords(session: SessionOrigin): string | null {
  const label = deviceLabel({
    deviceKind: session.deviceKind,
    deviceName: plainOrNull(session.deviceName),
    devicePlatform: plainOrNull(session.devicePlatform),
    userAgent: session.userAgent,
  });
  const [name, platform] = [plainOrNull(label.name), plainOrNull(label.platform)];
  if (name === null || platform === null) return name ?? platform;
  return name.includes(platform) ? name : `${name} (${platform})`;
}

const plainOrNull = (text: string | null) => (text !== null && isPlainWords(text) ? text : null);
