import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { DAY_MS, lifetimes } from '#src/lifetimes';
import { purge } from '#src/platform/database/purge';
import { whereOurs } from '#src/webhooks/take';

/** The columns of a delivery that waits no more. */
export const settled = (settledAt: Date) => ({ settledAt, nextAttemptAt: null, expiresAt: null });

/** `change` gives deliveries of one webhook up, and answers how many. */
export async function giveUp(
  { db, events, log }: Context,
  webhookId: string,
  change: () => Promise<number>,
): Promise<number> {
  return db.transaction(async () => {
    const deliveries = await change();
    if (deliveries > 0) {
      log.error({ webhookId, deliveries }, 'events were not delivered, and were given up');
      events.emit('webhook.gave_up', { webhookId, deliveries });
    }
    return deliveries;
  });
}

/** Gives up what has waited too long, in steps of `limit` rows at most. Answers how many there were. */
async function expireDeliveries(ctx: Context, limit: number): Promise<number> {
  const { db, clock } = ctx;
  const now = clock.date();
  const expired = await db.WebhookDelivery.findAll({
    attributes: ['id', 'webhookId', 'attempts', 'nextAttemptAt'],
    where: { expiresAt: { [Op.lt]: now } },
    order: ['expiresAt'],
    limit,
  });
  // What is being tried ends by itself.
  const waiting = expired.filter(({ nextAttemptAt }) => nextAttemptAt! <= now);
  for (const [webhookId, rows] of Map.groupBy(waiting, (row) => row.webhookId))
    await giveUp(ctx, webhookId, async () => {
      const failed = { ...settled(now), lastError: 'expired', state: 'failed' as const };
      let given = 0;
      for (const row of rows) given += (await db.WebhookDelivery.update(failed, whereOurs(row)))[0];
      return given;
    });
  return waiting.length;
}

/** Gives up what has waited too long, and deletes what was delivered or given up long ago. */
export async function purgeDeliveries(ctx: Context, stopped?: AbortSignal): Promise<void> {
  const { db, clock } = ctx;
  await purge((limit) => expireDeliveries(ctx, limit), stopped);
  const before = clock.date(-lifetimes.webhookDeliveryDays * DAY_MS);
  const where = { settledAt: { [Op.lt]: before } };
  await purge((limit) => db.WebhookDelivery.destroy({ where, limit }), stopped);
}
