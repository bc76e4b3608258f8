import { v7 as uuid } from 'uuid';
import type { Webhook } from '#models/index';
import type { Context } from '#src/context';
import { skipCacheInvalidation } from '#src/platform/database/commits';
import { takeTurn } from '#src/platform/database/take-turn';
import { publish, wants, type PublishedEvent } from '#src/webhooks/catalogue';
import { due } from '#src/webhooks/deliveries';
import { CURSOR, eventsAfter } from '#src/webhooks/event-log';

/** So many events are read at once. */
const BATCH = 100;

/**
 * Makes a delivery of each new event for each webhook that wants it, and moves the cursor, in one transaction: each event
 * becomes a delivery once, whichever node does it, and whenever it dies. Answers false if nothing was new.
 */
export async function dispatch(ctx: Context, webhooks: readonly Webhook[]): Promise<boolean> {
  const { db } = ctx;
  // What is before the cursor of every webhook is for none of them.
  const first = Math.min(...webhooks.map(({ afterSeq }) => Number(afterSeq)));
  const from = async () => {
    const cursor = await db.WebhookCursor.findByPk(CURSOR, { rejectOnEmpty: true });
    return Math.max(Number(cursor.seq), first);
  };
  if ((await eventsAfter(ctx, await from(), 1)).length === 0) return false;
  return db.transaction(async () => {
    await takeTurn(db.WebhookCursor, { id: CURSOR });
    const events = await eventsAfter(ctx, await from(), BATCH);
    const last = events.at(-1);
    if (!last) return false;
    // Read again: whoever makes or changes one has the turn of the cursor.
    const enabled = await db.Webhook.findAll({ where: { disabledAt: null }, order: ['id'] });
    const rows = events.flatMap((event) => deliveriesOf(ctx, event, enabled));
    if (rows.length > 0) await db.WebhookDelivery.bulkCreate(rows, skipCacheInvalidation);
    const moved = { where: { id: CURSOR }, ...skipCacheInvalidation };
    await db.WebhookCursor.update({ seq: last.seq }, moved);
    return true;
  });
}

function deliveriesOf(
  ctx: Context,
  event: PublishedEvent & { seq: number },
  webhooks: readonly Webhook[],
) {
  const wanting = webhooks.filter(
    ({ types, afterSeq }) => Number(afterSeq) < event.seq && wants(types, event.type),
  );
  const message = wanting.length > 0 && published(ctx, event);
  if (!message) return [];
  return wanting.map(({ id }) => ({
    id: uuid(),
    webhookId: id,
    seq: event.seq,
    ...message,
    ...due(ctx),
  }));
}

/** An event that does not have the form that is documented must not hold up all others. */
function published({ log }: Context, event: PublishedEvent) {
  try {
    return publish(event);
  } catch (error) {
    log.error({ err: error, event: event.type }, 'an event cannot be told to webhooks');
    return undefined;
  }
}
