import { v7 as uuid } from 'uuid';
import type { WebhookDelivery } from '#models/index';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { sealedNewestFirst, type SealedPage } from '#src/platform/http/cursor';
import { Problem } from '#src/platform/http/problem';
import { unchecked, type Before } from '#src/sessions/require-live-permission';
import { testMessage } from '#src/webhooks/catalogue';
import { newestSeq } from '#src/webhooks/event-log';
import { webhookOf } from '#src/webhooks/manage';

interface DeliveryQuery extends SealedPage {
  state?: WebhookDelivery['state'] | undefined;
}

/**
 * What a webhook was told, or is to be told, newest first.
 * @throws {Problem} 400 `invalid_request` for a cursor of another list or state; 404 `not_found`
 */
export async function listDeliveries(
  ctx: Context,
  webhookId: string,
  { state, ...page }: DeliveryQuery,
) {
  await webhookOf(ctx, webhookId);
  const where = { webhookId, ...(state && { state }) };
  const list = ['webhook deliveries', webhookId, state];
  return sealedNewestFirst(ctx, list, ctx.db.WebhookDelivery, where, page);
}

/** When it is to be delivered, and when given up. */
export function due({ clock }: Context) {
  return {
    state: 'pending' as const,
    nextAttemptAt: clock.date(),
    expiresAt: clock.date(lifetimes.webhookDeliverySeconds * 1000),
  };
}

/**
 * Puts the event `webhook.test` among those that are to be delivered, and tries the webhook at once, also while it rests
 * because it fails.
 * @throws {Problem} 404 `not_found`, 409 `conflict` if it is disabled
 */
export async function testWebhook(
  ctx: Context,
  webhookId: string,
  before: Before = unchecked,
): Promise<WebhookDelivery> {
  const { db, clock, webhooks } = ctx;
  const delivery = await db.transaction(async () => {
    await before();
    await requireEnabled(ctx, webhookId);
    return db.WebhookDelivery.create({
      id: uuid(),
      webhookId,
      ...testMessage(uuid(), clock.date(), webhookId),
      seq: await newestSeq(ctx),
      ...due(ctx),
    });
  });
  db.afterCommit(() => webhooks.wake());
  return delivery;
}

/**
 * Delivers once more what was delivered or given up. The `webhook-id` stays the same.
 * @throws {Problem} 404 `not_found`, 409 `conflict` if it is still being tried, or if the webhook is disabled
 */
export async function redeliver(
  ctx: Context,
  webhookId: string,
  id: string,
  before: Before = unchecked,
): Promise<WebhookDelivery> {
  const { db, webhooks } = ctx;
  const delivery = await db.transaction(async () => {
    await before();
    await requireEnabled(ctx, webhookId);
    const found = await db.WebhookDelivery.findOne({ where: { id, webhookId } });
    if (!found) throw new Problem('not_found');
    const { attempts, state } = found;
    const again = { ...due(ctx), settledAt: null };
    const where = { id, attempts, state };
    if (state === 'pending' || (await db.WebhookDelivery.update(again, { where }))[0] === 0)
      throw new Problem('conflict');
    return found.set(again);
  });
  db.afterCommit(() => webhooks.wake());
  return delivery;
}

/** It writes first: nobody disables or deletes the webhook until the transaction around this call ends. */
async function requireEnabled(ctx: Context, id: string): Promise<void> {
  await ctx.db.Webhook.update({ retryAt: null }, { where: { id, disabledAt: null } });
  if ((await webhookOf(ctx, id)).disabledAt) throw new Problem('conflict');
}
