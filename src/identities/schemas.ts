import { z } from 'zod';
import { Time } from '#src/core/time';

/** A user elsewhere, as its owner sees it. What the provider calls them is nobody's business. */
export const ListedIdentity = z
  .object({
    id: z.uuid(),
    provider: z.string().meta({ example: 'github' }),
    email: z.string().nullable().meta({ description: 'As the provider told it when it was linked.' }),
    createdAt: Time,
  })
  .meta({ id: 'Identity' });
