import { z } from 'zod';
import { Time } from '#src/platform/http/time';

/** An identity as its owner sees it. The provider's subject is not shown. */
export const ListedIdentity = z
  .object({
    id: z.uuid(),
    provider: z.string().meta({ example: 'github' }),
    email: z
      .string()
      .nullable()
      .meta({ description: 'As the provider told it when it was linked.' }),
    createdAt: Time,
  })
  .meta({ id: 'Identity' });
