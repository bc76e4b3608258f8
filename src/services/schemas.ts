import { z } from 'zod';
import type { Service } from '#models/index';
import { inWords, lifetimes } from '#src/lifetimes';
import { Time } from '#src/platform/http/time';
import { SERVICE_SCOPES, serviceScopesIn } from '#src/services/scopes';

/** A service has one spelling. What looks like an id is none. */
const name = z
  .string()
  .regex(
    /^[a-z][a-z0-9._-]{0,63}$/,
    'A service is named with small letters, digits and . _ -, at most 64, the first one a letter',
  )
  .refine((text) => !z.uuid().safeParse(text).success, 'This looks like an id')
  .meta({ example: 'billing' });

const scopes = z
  .array(z.enum(SERVICE_SCOPES))
  .max(SERVICE_SCOPES.length)
  .transform((given) => SERVICE_SCOPES.filter((scope) => given.includes(scope)))
  .meta({
    description:
      'What it may do. `introspect`: ask about tokens. `changes`: read which sessions ended and which users changed. `revoke`: end the session of a token.',
    example: ['introspect'],
  });

export const NewService = z
  .strictObject({ name, scopes: scopes.default([]) })
  .meta({ id: 'NewService' });
export type NewService = z.output<typeof NewService>;

export const ServiceChanges = z
  .strictObject({ name: name.optional(), scopes: scopes.optional() })
  .meta({ id: 'ServiceChanges' });
export type ServiceChanges = z.output<typeof ServiceChanges>;

export const ServiceSecretRotation = z
  .strictObject({
    keepPrevious: z
      .boolean()
      .default(true)
      .meta({
        description: `Whether the secret before is good for another ${inWords(lifetimes.serviceSecretOverlapSeconds)}. Send false if others know it.`,
      }),
  })
  .meta({ id: 'ServiceSecretRotation' });

const fields = {
  id: z.uuid().meta({ description: 'Its `client_id`.' }),
  name: z.string(),
  scopes: z.array(z.string()),
  previousSecretExpiresAt: Time.nullable().meta({
    description: 'Until then the secret before is good, too.',
  }),
  lastUsedAt: Time.nullable().meta({ description: 'To the minute.' }),
  createdAt: Time,
};
export const ListedService = z.object(fields).meta({ id: 'Service' });
export const CreatedService = z
  .object({
    ...fields,
    secret: z.string().meta({ description: 'Shown this once. Its `client_secret`.' }),
  })
  .meta({ id: 'CreatedService' });

/** A service as administrators see it: without its secrets. */
export const listedService = (service: Service): z.input<typeof ListedService> => ({
  id: service.id,
  name: service.name,
  scopes: serviceScopesIn(service.scopes),
  previousSecretExpiresAt: service.previousSecretExpiresAt ?? null,
  lastUsedAt: service.lastUsedAt ?? null,
  createdAt: service.createdAt,
});
