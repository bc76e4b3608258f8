import { z } from 'zod';
import { PlainText } from '#src/platform/text';

export const DeviceName = PlainText.max(64);

/** Text up to this length: the rest is cut off. What cannot be shown is left out. */
const cut = (length: number) =>
  z.string().transform((text) => {
    const start = text.slice(0, length).replace(/[\ud800-\udbff]$/, '');
    return PlainText.safeParse(start).data;
  });

const KINDS = ['web', 'mobile', 'desktop', 'other'] as const;

/**
 * What a client says about its device when it signs in. Its owner sees it in their sessions. Nobody
 * is refused for the name of a phone: what is too long is cut, what is unknown is left out.
 */
export const DeviceInput = z
  .strictObject({
    kind: z
      .string()
      .transform((text) => KINDS.find((kind) => kind === text))
      .optional()
      .meta({ enum: [...KINDS] }),
    name: cut(64).optional().meta({ example: 'Ada’s phone' }),
    platform: cut(32).optional().meta({ example: 'iOS' }),
  })
  .meta({
    id: 'Device',
    description:
      'The device that signs in, as its owner sees it in the list of sessions. A name is cut to 64 characters, a platform to 32. An unknown kind counts as none.',
  });
