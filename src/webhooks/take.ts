import { literal, Op } from 'sequelize';
import type { Webhook, WebhookDelivery } from '#models/index';
import type { Context } from '#src/context';
import { skipCacheInvalidation } from '#src/platform/database/commits';

/** After so long, others may take over a delivery: well after the attempt must have ended. */
const LEASE_MS = 60_000;
/** How many deliveries are looked at for one that nobody else takes. */
const CANDIDATES = 10;

export interface Taken {
  webhook: Webhook;
  delivery: WebhookDelivery;
}

/** No earlier event about the same subject waits. Named by the alias that Sequelize gives the table. */
const FIRST_OF_SUBJECT = literal(
  'NOT EXISTS (SELECT 1 FROM webhook_deliveries earlier WHERE earlier.webhook_id = `WebhookDelivery`.webhook_id' +
    " AND earlier.state = 'pending' AND earlier.subject = `WebhookDelivery`.subject AND earlier.seq < `WebhookDelivery`.seq)",
);

/** Optimistic lock on `attempts`: no rows if another node took the delivery. */
export const whereOurs = ({ id, attempts }: { id: string; attempts: number }) => ({
  where: { id, attempts, state: 'pending' as const },
  ...skipCacheInvalidation,
});

/**
 * Takes the delivery of a webhook that has waited longest and follows no other that waits, for LEASE_MS. Undefined if none
 * is due. Of several callers, on any number of nodes, one gets it. While a webhook fails, one is taken at a time.
 */
export async function takeNext({ db, clock }: Context, id: string): Promise<Taken | undefined> {
  for (;;) {
    const webhook = await db.Webhook.findByPk(id);
    if (!webhook || webhook.disabledAt) return undefined;
    const { failures, retryAt } = webhook;
    if (retryAt && retryAt > clock.date()) return undefined;
    const due = await db.WebhookDelivery.findAll({
      where: {
        webhookId: id,
        nextAttemptAt: { [Op.lte]: clock.date() },
        [Op.and]: FIRST_OF_SUBJECT,
      },
      order: [['nextAttemptAt', 'ASC']],
      limit: CANDIDATES,
    });
    if (due.length === 0) return undefined;
    if (failures > 0) {
      const leased = { retryAt: clock.date(LEASE_MS) };
      const isStill = { where: { id, failures, retryAt }, ...skipCacheInvalidation };
      if ((await db.Webhook.update(leased, isStill))[0] === 0) return undefined;
    }
    for (const delivery of due) {
      const now = clock.date();
      const taken = {
        attempts: delivery.attempts + 1,
        lastAttemptAt: now,
        nextAttemptAt: new Date(now.getTime() + LEASE_MS),
      };
      const [rows] = await db.WebhookDelivery.update(taken, whereOurs(delivery));
      if (rows === 1) return { webhook, delivery: delivery.set(taken) };
    }
  }
}
