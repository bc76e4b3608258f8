import { z } from 'zod';
import type { Webhook, WebhookDelivery } from '#models/index';
import { inWords, lifetimes } from '#src/lifetimes';
import { Time } from '#src/platform/http/time';
import { PlainText } from '#src/platform/text';
import { isTypeFilter, published } from '#src/webhooks/catalogue';
import { parseWebhookUrl } from '#src/webhooks/url';

const url = z
  .string()
  .max(2000)
  .transform((text, context) => {
    const found = parseWebhookUrl(text);
    if (found) return found;
    context.addIssue({
      code: 'custom',
      message: 'An address such as https://hooks.example.com/sallyport, without user and fragment',
    });
    return z.NEVER;
  })
  .meta({
    description:
      'Where events are sent: https, at a public address. WEBHOOK_ALLOWED_NETWORKS allows others.',
    example: 'https://hooks.example.com/sallyport',
    override: ({ jsonSchema }: { jsonSchema: object }) => {
      Object.assign(jsonSchema, { type: 'string', format: 'uri', maxLength: 2000 });
    },
  });
const filters = z
  .array(z.string().max(64).refine(isTypeFilter, 'No event of this server is named so'))
  .min(1)
  .max(50)
  .transform((all) => [...new Set(all)])
  .meta({
    description: `The events that it wants: a type, \`user.*\` for all that begin so, or \`*\` for all. Types: ${Object.keys(published).join(', ')}.`,
    example: ['user.*', 'role.granted'],
  });
const description = z.union([PlainText.max(200), z.literal('')]);

export const NewWebhook = z
  .strictObject({ url, types: filters, description: description.default('') })
  .meta({ id: 'NewWebhook' });
export type NewWebhook = z.output<typeof NewWebhook>;

export const WebhookChanges = z
  .strictObject({
    url: url.optional(),
    types: filters.optional(),
    description: description.optional(),
    enabled: z
      .boolean()
      .optional()
      .meta({ description: 'What happens while it is not enabled is never sent there.' }),
  })
  .meta({ id: 'WebhookChanges' });
export type WebhookChanges = z.output<typeof WebhookChanges>;

export const SecretRotation = z
  .strictObject({
    keepPrevious: z
      .boolean()
      .default(true)
      .meta({
        description: `Whether the secret before signs for another ${inWords(lifetimes.webhookSecretOverlapSeconds)}, too. Send false if others know it.`,
      }),
  })
  .meta({ id: 'SecretRotation' });

const webhookFields = {
  id: z.uuid(),
  url: z.string(),
  types: z.array(z.string()),
  description: z.string(),
  enabled: z.boolean(),
  disabledWhy: z.enum(['by_hand', 'gone']).nullable().meta({
    description: '`gone`: it answered 410.',
  }),
  failures: z.int().meta({ description: 'Attempts that failed since the last one that did not.' }),
  failingSince: Time.nullable(),
  retryAt: Time.nullable().meta({ description: 'Nothing is sent before, because it fails.' }),
  previousSecretExpiresAt: Time.nullable().meta({
    description: 'Until then the secret before signs, too.',
  }),
  createdAt: Time,
};
export const ListedWebhook = z.object(webhookFields).meta({ id: 'Webhook' });
export const CreatedWebhook = z
  .object({
    ...webhookFields,
    secret: z.string().meta({ description: 'Shown this once. It verifies `webhook-signature`.' }),
  })
  .meta({ id: 'CreatedWebhook' });

/** A webhook as administrators see it: without its secrets. */
export const listedWebhook = (webhook: Webhook): z.input<typeof ListedWebhook> => ({
  id: webhook.id,
  url: webhook.url,
  types: webhook.types.split(' '),
  description: webhook.description,
  enabled: !webhook.disabledAt,
  disabledWhy: (webhook.disabledWhy ?? null) as 'by_hand' | 'gone' | null,
  failures: webhook.failures,
  failingSince: webhook.failingSince ?? null,
  retryAt: webhook.retryAt ?? null,
  previousSecretExpiresAt: webhook.sealedPreviousSecret
    ? (webhook.previousSecretExpiresAt ?? null)
    : null,
  createdAt: webhook.createdAt,
});

export const DeliveryState = z.enum(['pending', 'delivered', 'failed']);
export const ListedDelivery = z
  .object({
    id: z.uuid(),
    eventId: z.uuid().meta({ description: 'The header `webhook-id`.' }),
    type: z.string(),
    state: DeliveryState,
    attempts: z.int(),
    nextAttemptAt: Time.nullable(),
    lastAttemptAt: Time.nullable(),
    lastStatus: z.int().nullable().meta({ description: 'Status of the last answer.' }),
    lastError: z.string().nullable().meta({ description: 'Why there was none, in a word.' }),
    settledAt: Time.nullable().meta({ description: 'When it was delivered or given up.' }),
    createdAt: Time,
  })
  .meta({ id: 'WebhookDelivery' });

export const listedDelivery = (delivery: WebhookDelivery): z.input<typeof ListedDelivery> => ({
  id: delivery.id,
  eventId: delivery.eventId,
  type: delivery.type,
  state: delivery.state,
  attempts: delivery.attempts,
  nextAttemptAt: delivery.nextAttemptAt ?? null,
  lastAttemptAt: delivery.lastAttemptAt ?? null,
  lastStatus: delivery.lastStatus ?? null,
  lastError: delivery.lastError ?? null,
  settledAt: delivery.settledAt ?? null,
  createdAt: delivery.createdAt,
});
