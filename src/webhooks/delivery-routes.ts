import { z } from 'zod';
import { authenticate, requirePermission } from '#src/authentication/guards';
import type { Context } from '#src/context';
import { SealedPage } from '#src/platform/http/cursor';
import { Id, Listing } from '#src/platform/http/listing';
import { get, post, type Route } from '#src/platform/http/route';
import { stillMay } from '#src/sessions/require-live-permission';
import { listDeliveries, redeliver, testWebhook } from '#src/webhooks/deliveries';
import { DeliveryState, ListedDelivery, listedDelivery } from '#src/webhooks/schemas';

const tag = 'Administration';
const [READ, WRITE] = ['webhooks:read', 'webhooks:write'] as const;
const params = z.strictObject({ id: Id });
const DeliveryPage = Listing(ListedDelivery);

export const deliveryRoutes = (ctx: Context): Route[] => [
  post(
    '/admin/webhooks/:id/test',
    [authenticate(ctx), requirePermission(WRITE)],
    {
      operationId: 'testWebhook',
      tag,
      summary: 'Send the event `webhook.test`',
      description: 'What came of it is listed among the deliveries.',
      params,
      returns: ListedDelivery,
      status: 202,
      problems: ['not_found', 'conflict'],
    },
    async ({ params: { id }, user }) =>
      listedDelivery(await testWebhook(ctx, id, stillMay(ctx, WRITE)(user))),
  ),

  get(
    '/admin/webhooks/:id/deliveries',
    [authenticate(ctx), requirePermission(READ)],
    {
      operationId: 'listWebhookDeliveries',
      tag,
      summary: 'List what a webhook was told, and is to be told',
      params,
      query: SealedPage.extend({ state: DeliveryState.optional() }),
      returns: DeliveryPage,
      problems: ['not_found'],
    },
    async (req) => {
      const { data, nextCursor } = await listDeliveries(ctx, req.params.id, req.query);
      return { data: data.map(listedDelivery), nextCursor };
    },
  ),

  post(
    '/admin/webhooks/:id/deliveries/:deliveryId/redeliver',
    [authenticate(ctx), requirePermission(WRITE)],
    {
      operationId: 'redeliverWebhookDelivery',
      tag,
      summary: 'Deliver an event once more',
      params: params.extend({ deliveryId: Id }),
      returns: ListedDelivery,
      status: 202,
      problems: ['not_found', 'conflict'],
    },
    async ({ params: { id, deliveryId }, user }) =>
      listedDelivery(await redeliver(ctx, id, deliveryId, stillMay(ctx, WRITE)(user))),
  ),
];
