import { z } from 'zod';
import { PlainText } from '#src/platform/text';

export const DeviceName = PlainText.max(64);

/** What a client says about its device when it signs in. Its owner sees it in their sessions. */
export const DeviceInput = z
  .strictObject({
    kind: z.enum(['web', 'mobile', 'desktop', 'other']).optional(),
    name: DeviceName.optional().meta({ example: 'Ada’s phone' }),
    platform: PlainText.max(32).optional().meta({ example: 'iOS' }),
  })
  .meta({
    id: 'Device',
    description: 'The device that signs in, as its owner sees it in the list of sessions.',
  });
