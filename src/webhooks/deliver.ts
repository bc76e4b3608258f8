import { Op } from 'sequelize';
import type { Webhook } from '#models/index';
import type { Context } from '#src/context';
import { skipCacheInvalidation } from '#src/platform/database/commits';
import { version } from '#src/version';
import { giveUp, settled } from '#src/webhooks/give-up';
import { pauseOfDelivery, pauseOfWebhook } from '#src/webhooks/retry';
import { signingSecrets } from '#src/webhooks/secrets';
import type { Outcome, Sent } from '#src/webhooks/send';
import { signatures } from '#src/webhooks/sign';
import { whereOurs, type Taken } from '#src/webhooks/take';

/** Makes one attempt. */
export type Send = (ctx: Context, sent: Sent, stopped: AbortSignal) => Promise<Outcome>;

/** After so many failures without a success between, the event `webhook.failing` says so. */
const FAILING_AFTER = 10;
/** The receiver refuses this event, and may take others. Every other failure is about the receiver as a whole. */
const ABOUT_THE_EVENT: ReadonlySet<number> = new Set([400, 409, 413, 422]);
const GONE = 410;

/**
 * Makes one attempt at a delivery that was taken. Afterwards it is delivered, or due later, or given up. If `stopped`
 * aborts the attempt, it is due at once, for other nodes.
 */
export async function deliver(
  ctx: Context,
  { webhook, delivery }: Taken,
  send: Send,
  stopped: AbortSignal,
): Promise<void> {
  const { db, clock } = ctx;
  const outcome = await attempt(ctx, { webhook, delivery }, send, stopped);
  const { status, error } = outcome;
  const last = { lastStatus: status ?? null, lastError: error ?? null };
  if (error === 'stopped') {
    await db.WebhookDelivery.update({ nextAttemptAt: clock.date() }, whereOurs(delivery));
    if (webhook.failures > 0) await release(ctx, webhook);
    return;
  }
  if (status !== undefined && status >= 200 && status < 300) {
    const delivered = { ...settled(clock.date()), ...last, state: 'delivered' as const };
    await db.WebhookDelivery.update(delivered, whereOurs(delivery));
    return noteSuccess(ctx, webhook);
  }
  await noteFailure(ctx, webhook, outcome);
  const nextAttemptAt = clock.date(pauseOfDelivery(delivery.attempts));
  const isOver = status === GONE || nextAttemptAt >= delivery.expiresAt!;
  const { id: webhookId } = webhook;
  const { id: deliveryId, type, attempts } = delivery;
  if (!isOver) {
    const tried = { webhookId, deliveryId, type, attempts, ...outcome };
    ctx.log.warn(tried, 'an event was not delivered, and will be tried again');
    await db.WebhookDelivery.update({ nextAttemptAt, ...last }, whereOurs(delivery));
    return;
  }
  await giveUp(ctx, webhookId, async () => {
    const failed = { ...settled(clock.date()), ...last, state: 'failed' as const };
    return (await db.WebhookDelivery.update(failed, whereOurs(delivery)))[0];
  });
}

async function attempt(
  ctx: Context,
  { webhook, delivery }: Taken,
  send: Send,
  stopped: AbortSignal,
): Promise<Outcome> {
  const { eventId: id, body } = delivery;
  const timestamp = Math.floor(ctx.clock.now() / 1000);
  const secrets = signingSecrets(ctx, webhook);
  if (secrets.length === 0) return { error: 'secret_sealed_under_another_app_secret' };
  const headers = {
    'Content-Type': 'application/json',
    'User-Agent': `Sallyport/${version}`,
    'webhook-id': id,
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signatures({ id, timestamp, body }, secrets),
  };
  return send(ctx, { url: new URL(webhook.url), headers, body }, stopped);
}

/** Lets others try again at once. */
const release = ({ db, clock }: Context, { id, failures }: Webhook) =>
  db.Webhook.update(
    { retryAt: clock.date() },
    { where: { id, failures }, ...skipCacheInvalidation },
  );

async function noteSuccess({ db, events }: Context, { id, failures }: Webhook): Promise<void> {
  if (failures === 0) return;
  await db.transaction(async () => {
    const fine = { failures: 0, failingSince: null, retryAt: null };
    const where = { id, failures: { [Op.gt]: 0 } };
    const [rows] = await db.Webhook.update(fine, { where, ...skipCacheInvalidation });
    if (rows > 0 && failures >= FAILING_AFTER) events.emit('webhook.recovered', { webhookId: id });
  });
}

/** Counts a failure. Of attempts that were under way at the same time, one counts. */
async function noteFailure(ctx: Context, webhook: Webhook, outcome: Outcome): Promise<void> {
  const { db, clock, events } = ctx;
  const { id, failures, failingSince } = webhook;
  const { status = 0, retryAfter } = outcome;
  const now = clock.date();
  if (ABOUT_THE_EVENT.has(status)) return void (failures > 0 && (await noteSuccess(ctx, webhook)));
  await db.transaction(async () => {
    const next = {
      failures: failures + 1,
      failingSince: failingSince ?? now,
      retryAt: clock.date(pauseOfWebhook(failures + 1, retryAfter)),
    };
    const where = { id, failures };
    const [rows] = await db.Webhook.update(next, { where, ...skipCacheInvalidation });
    if (rows > 0 && next.failures === FAILING_AFTER)
      events.emit('webhook.failing', { webhookId: id });
    if (status !== GONE) return;
    const gone = { disabledAt: now, disabledWhy: 'gone' };
    const [disabled] = await db.Webhook.update(gone, { where: { id, disabledAt: null } });
    if (disabled > 0) events.emit('webhook.disabled', { webhookId: id, why: 'gone' });
  });
}
