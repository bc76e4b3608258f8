import type { Request } from 'express';
import { z } from 'zod';
import { clientIp } from '#src/core/client-ip';
import { PlainText } from '#src/core/text';

/** What a client says of itself when it signs in, so that its owner can recognise it in a list. */
export const DeviceInput = z
  .strictObject({
    kind: z.enum(['web', 'mobile', 'desktop', 'other']).optional(),
    name: PlainText.max(64).optional().meta({ example: 'Ada’s phone' }),
  })
  .meta({ id: 'Device', description: 'The device that signs in, as its owner will know it in a list of sessions.' });

export interface Device {
  kind?: string | undefined;
  name?: string | undefined;
  userAgent?: string | undefined;
  ip?: string | undefined;
}

/** What the client says, and what the connection shows. */
export const deviceOf = (req: Pick<Request, 'headers' | 'ip'>, said: z.output<typeof DeviceInput> = {}): Device => ({
  ...said,
  userAgent: req.headers['user-agent'],
  ip: clientIp(req),
});
