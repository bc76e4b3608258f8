import { v7 as uuid } from 'uuid';
import type { Webhook } from '#models/index';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { takeTurn } from '#src/platform/database/take-turn';
import { etagOf, requireMatch } from '#src/platform/http/etag';
import { sealedNewestFirst, type SealedPage } from '#src/platform/http/cursor';
import { Problem } from '#src/platform/http/problem';
import { unchecked, type Before } from '#src/sessions/require-live-permission';
import { newestSeq, CURSOR } from '#src/webhooks/event-log';
import type { NewWebhook, WebhookChanges } from '#src/webhooks/schemas';
import { makeSecret } from '#src/webhooks/secrets';
import { requireCallable } from '#src/webhooks/url';

/** How many webhooks there may be at once. */
const MAX_WEBHOOKS = 50;

interface Condition {
  before?: Before;
  /** The header If-Match. */
  ifMatch?: string | undefined;
}

/** Changes with whatever somebody may change. */
export const etagOfWebhook = ({ id, url, types, description, disabledAt }: Webhook): string =>
  etagOf([id, url, types, description, !disabledAt]);

/**
 * Makes a webhook, and answers its secret, this once. It is told of what happens from now on.
 * @throws {Problem} 400 `invalid_request` for an address that may not be called, 409 `conflict` if there are 50
 */
export async function createWebhook(
  ctx: Context,
  { url, types, description }: NewWebhook,
  before = unchecked,
): Promise<{ webhook: Webhook; secret: string }> {
  const { db, events, webhooks } = ctx;
  await requireCallable(ctx, url); // outside of the transaction: it asks a name server
  const { secret, sealedSecret } = makeSecret(ctx);
  const webhook = await db.transaction(async () => {
    await before();
    await takeTurn(db.WebhookCursor, { id: CURSOR });
    if ((await db.Webhook.count()) >= MAX_WEBHOOKS) throw new Problem('conflict');
    const id = uuid();
    const made = await db.Webhook.create({
      id,
      url,
      types: types.join(' '),
      description,
      sealedSecret,
      afterSeq: await newestSeq(ctx),
    });
    events.emit('webhook.created', { webhookId: id });
    return made;
  });
  db.afterCommit(() => webhooks.wake());
  return { webhook, secret };
}

/** One page, newest first. @throws {Problem} 400 `invalid_request` for a cursor of another list */
export const listWebhooks = (ctx: Context, page: SealedPage) =>
  sealedNewestFirst(ctx, ['webhooks'], ctx.db.Webhook, {}, page);

/** @throws {Problem} 404 `not_found` */
export async function webhookOf({ db }: Context, id: string): Promise<Webhook> {
  const webhook = await db.Webhook.findByPk(id);
  if (!webhook) throw new Problem('not_found');
  return webhook;
}

/**
 * Changes what is given. One that is enabled again is told of what happens from then on.
 * @throws {Problem} 400 `invalid_request` for an address that may not be called, 404 `not_found`, 412 `precondition_failed`
 */
export async function updateWebhook(
  ctx: Context,
  id: string,
  { url, types, description, enabled }: WebhookChanges,
  { before = unchecked, ifMatch }: Condition = {},
): Promise<Webhook> {
  const { db, events, webhooks } = ctx;
  if (url !== undefined) await requireCallable(ctx, url);
  const changed = await db.transaction(async () => {
    await before();
    await takeTurn(db.WebhookCursor, { id: CURSOR });
    const webhook = await webhookOf(ctx, id);
    requireMatch(ifMatch, etagOfWebhook(webhook));
    await webhook.update({
      ...(url !== undefined && { url, retryAt: null }),
      ...(types && { types: types.join(' ') }),
      ...(description !== undefined && { description }),
      ...(enabled !== undefined && (await switched(ctx, webhook, enabled))),
    });
    events.emit('webhook.updated', { webhookId: id });
    return webhook;
  });
  db.afterCommit(() => webhooks.wake());
  return changed;
}

async function switched(ctx: Context, { id, disabledAt }: Webhook, enabled: boolean) {
  const { clock, events } = ctx;
  if (enabled === !disabledAt) return {};
  if (enabled) {
    events.emit('webhook.enabled', { webhookId: id });
    const afterSeq = await newestSeq(ctx);
    return { disabledAt: null, disabledWhy: null, retryAt: null, afterSeq };
  }
  events.emit('webhook.disabled', { webhookId: id, why: 'by_hand' });
  return { disabledAt: clock.date(), disabledWhy: 'by_hand' };
}

/** Deletes it with all that was or is to be delivered. @throws {Problem} 404 `not_found` */
export async function deleteWebhook(ctx: Context, id: string, before = unchecked): Promise<void> {
  const { db, events } = ctx;
  await db.transaction(async () => {
    await before();
    await takeTurn(db.WebhookCursor, { id: CURSOR });
    if ((await db.Webhook.destroy({ where: { id } })) === 0) throw new Problem('not_found');
    events.emit('webhook.deleted', { webhookId: id });
  });
}

/**
 * Makes a new secret, and answers it, this once. With `keepPrevious` the one before signs for a while, too, so that the
 * receiver can change over; the one before that is void.
 * @throws {Problem} 404 `not_found`
 */
export async function rotateSecret(
  ctx: Context,
  id: string,
  keepPrevious: boolean,
  before = unchecked,
): Promise<{ webhook: Webhook; secret: string }> {
  const { db, clock, events } = ctx;
  const { secret, sealedSecret } = makeSecret(ctx);
  const webhook = await db.transaction(async () => {
    await before();
    await takeTurn(db.WebhookCursor, { id: CURSOR });
    const found = await webhookOf(ctx, id);
    await found.update({
      sealedSecret,
      sealedPreviousSecret: keepPrevious ? found.sealedSecret : null,
      previousSecretExpiresAt: keepPrevious
        ? clock.date(lifetimes.webhookSecretOverlapSeconds * 1000)
        : null,
    });
    events.emit('webhook.secret_rotated', { webhookId: id });
    return found;
  });
  return { webhook, secret };
}
