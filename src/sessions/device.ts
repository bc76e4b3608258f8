import { parse } from 'bowser';
import type { Request } from 'express';
import { z } from 'zod';
import type { Session } from '#models/index';
import { clientIp } from '#src/core/client-ip';
import { PlainText } from '#src/core/text';

const DeviceName = PlainText.max(64);

/** What a client says of itself when it signs in, so that its owner can recognise it in a list. */
export const DeviceInput = z
  .strictObject({
    kind: z.enum(['web', 'mobile', 'desktop', 'other']).optional(),
    name: DeviceName.optional().meta({ example: 'Ada’s phone' }),
    platform: PlainText.max(32).optional().meta({ example: 'iOS' }),
  })
  .meta({ id: 'Device', description: 'The device that signs in, as its owner will know it in a list of sessions.' });

type Told = string | null | undefined;
export interface Device {
  kind?: Told;
  name?: Told;
  platform?: Told;
  userAgent?: Told;
  ip?: Told;
}

/** What the client says, and what the connection shows. */
export const deviceOf = (req: Pick<Request, 'headers' | 'ip'>, said: z.output<typeof DeviceInput> = {}): Device => ({
  ...said,
  userAgent: req.headers['user-agent']?.slice(0, 255),
  ip: clientIp(req),
});

/** As its owner will know it: by what it said of itself, else by its user agent. */
export function knownAs({ deviceKind, deviceName, devicePlatform, userAgent }: Session) {
  const { browser, os } = parse(userAgent || '-');
  const told = [browser.name, os.name].filter(Boolean).join(' on ');
  return {
    kind: deviceKind,
    name: deviceName ?? DeviceName.safeParse(told).data ?? null,
    platform: devicePlatform ?? os.name ?? null,
  };
}
