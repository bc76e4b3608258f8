import { createRequire } from 'node:module';
import type { Request } from 'express';
import type { z } from 'zod';
import type { Session } from '#models/index';
import { clientIp } from '#src/platform/http/client-ip';
import { DeviceName, type DeviceInput } from '#src/strategy-kit/device-input';

type OptionalText = string | null | undefined;
export interface Device {
  kind?: OptionalText;
  name?: OptionalText;
  platform?: OptionalText;
  userAgent?: OptionalText;
  ip?: OptionalText;
}

/** The device of a request: what the client says about it, its user agent and its address. */
export const deviceOf = (
  req: Pick<Request, 'headers' | 'ip'>,
  input: z.output<typeof DeviceInput> = {},
): Device => ({
  ...input,
  userAgent: req.headers['user-agent']?.slice(0, 255),
  ip: clientIp(req),
});

/** The device as its owner sees it: what the client said about it, else what its user agent says. */
export function deviceLabel(
  session: Pick<Session, 'deviceKind' | 'deviceName' | 'devicePlatform' | 'userAgent'>,
) {
  // Loaded for the first list of sessions: its tables of browsers take half a megabyte.
  const { parse } = createRequire(import.meta.url)('bowser') as typeof import('bowser');
  const { browser, os } = parse(session.userAgent || '-');
  const agent = [browser.name, os.name].filter(Boolean).join(' on ');
  return {
    kind: session.deviceKind,
    name: session.deviceName ?? DeviceName.safeParse(agent).data ?? null,
    platform: session.devicePlatform ?? os.name ?? null,
  };
}
