import type { z } from 'zod';
import type { Webhook, WebhookDelivery } from '#models/index';
import type { Context } from '#src/context';
import { parsed } from '#src/platform/http/parse';
import { listDeliveries, redeliver, testWebhook } from '#src/webhooks/deliveries';
import {
  createWebhook,
  deleteWebhook,
  listWebhooks,
  rotateSecret,
  updateWebhook,
} from '#src/webhooks/manage';
import { NewWebhook, WebhookChanges } from '#src/webhooks/schemas';

export interface WebhooksAsked {
  /** 1 to 100. */
  limit: number;
  cursor?: string;
}

/** What an app may do with webhooks. Secrets are answered once, when they are made. */
export const webhooksApi = (ctx: Context) => ({
  /** One page, newest first. */
  list: (asked: WebhooksAsked): Promise<{ data: Webhook[]; nextCursor: string | null }> =>
    listWebhooks(ctx, asked),
  /**
   * Creates a webhook, which is told of what happens from now on. `types`: `user.registered`, `user.*` or `*`.
   * @throws {Problem} 400 `invalid_request`, 409 `conflict` if there are 50
   */
  create: async (
    input: z.input<typeof NewWebhook>,
  ): Promise<{ webhook: Webhook; secret: string }> => createWebhook(ctx, parsed(NewWebhook, input)),
  /** @throws {Problem} 400 `invalid_request`, 404 `not_found` */
  update: async (id: string, changes: z.input<typeof WebhookChanges>): Promise<Webhook> =>
    updateWebhook(ctx, id, parsed(WebhookChanges, changes)),
  /** @throws {Problem} 404 `not_found` */
  delete: (id: string): Promise<void> => deleteWebhook(ctx, id),
  /**
   * Replaces the secret. The one before signs for another day, too, unless `keepPrevious` is false.
   * @throws {Problem} 404 `not_found`
   */
  rotateSecret: (
    id: string,
    { keepPrevious = true }: { keepPrevious?: boolean } = {},
  ): Promise<{ webhook: Webhook; secret: string }> => rotateSecret(ctx, id, keepPrevious),
  /** Sends the event `webhook.test`. @throws {Problem} 404 `not_found`, 409 `conflict` if it is disabled */
  test: (id: string): Promise<WebhookDelivery> => testWebhook(ctx, id),
  /** What it was told, or is to be told, newest first. @throws {Problem} 404 `not_found` */
  deliveries: (
    id: string,
    asked: WebhooksAsked & { state?: WebhookDelivery['state'] },
  ): Promise<{ data: WebhookDelivery[]; nextCursor: string | null }> =>
    listDeliveries(ctx, id, asked),
  /** @throws {Problem} 404 `not_found`, 409 `conflict` if it is still being tried, or the webhook is disabled */
  redeliver: (id: string, deliveryId: string): Promise<WebhookDelivery> =>
    redeliver(ctx, id, deliveryId),
});
