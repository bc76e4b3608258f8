import type { Response } from 'express';
import { z } from 'zod';
import type { Webhook } from '#models/index';
import { administer } from '#src/authentication/administer';
import { authenticate, requirePermission } from '#src/authentication/guards';
import type { Context } from '#src/context';
import { SealedPage } from '#src/platform/http/cursor';
import { Id, Listing } from '#src/platform/http/listing';
import { del, get, patch, post, type Route } from '#src/platform/http/route';
import { stillMay } from '#src/sessions/require-live-permission';
import {
  createWebhook,
  deleteWebhook,
  etagOfWebhook,
  listWebhooks,
  rotateSecret,
  updateWebhook,
  webhookOf,
} from '#src/webhooks/manage';
import {
  CreatedWebhook,
  ListedWebhook,
  listedWebhook,
  NewWebhook,
  SecretRotation,
  WebhookChanges,
} from '#src/webhooks/schemas';

const tag = 'Administration';
const [READ, WRITE] = ['webhooks:read', 'webhooks:write'] as const;
const params = z.strictObject({ id: Id });
const WebhookPage = Listing(ListedWebhook);

function withEtag(res: Response, webhook: Webhook) {
  res.setHeader('ETag', etagOfWebhook(webhook));
  return listedWebhook(webhook);
}

export const webhookRoutes = (ctx: Context): Route[] => {
  const mayStill = stillMay(ctx, WRITE);
  const read = [authenticate(ctx), requirePermission(READ)] as const;
  const write = [authenticate(ctx), requirePermission(WRITE)] as const;
  // Whoever changes where events go, or gets a secret to see, must have proved who they are.
  const proved = administer(ctx, WRITE);
  return [
    get(
      '/admin/webhooks',
      read,
      {
        operationId: 'listWebhooks',
        tag,
        summary: 'List webhooks',
        query: SealedPage,
        returns: WebhookPage,
      },
      async (req) => {
        const { data, nextCursor } = await listWebhooks(ctx, req.query);
        return { data: data.map(listedWebhook), nextCursor };
      },
    ),

    post(
      '/admin/webhooks',
      proved,
      {
        operationId: 'createWebhook',
        tag,
        summary: 'Create a webhook',
        description: 'It is told of what happens from now on, at least once, in order per user.',
        body: NewWebhook,
        returns: CreatedWebhook,
        status: 201,
        problems: ['conflict'],
      },
      async ({ body, user }) => {
        const { webhook, secret } = await createWebhook(ctx, body, mayStill(user));
        return { ...listedWebhook(webhook), secret };
      },
    ),

    get(
      '/admin/webhooks/:id',
      read,
      {
        operationId: 'getWebhook',
        tag,
        summary: 'Show a webhook',
        params,
        returns: ListedWebhook,
        etag: true,
        problems: ['not_found'],
      },
      async (req, res) => withEtag(res, await webhookOf(ctx, req.params.id)),
    ),

    patch(
      '/admin/webhooks/:id',
      proved,
      {
        operationId: 'updateWebhook',
        tag,
        summary: 'Change a webhook, or switch it on or off',
        params,
        body: WebhookChanges,
        returns: ListedWebhook,
        etag: true,
        problems: ['not_found', 'precondition_failed'],
      },
      async ({ body, headers, params: { id }, user }, res) => {
        const condition = { before: mayStill(user), ifMatch: headers['if-match'] };
        return withEtag(res, await updateWebhook(ctx, id, body, condition));
      },
    ),

    del(
      '/admin/webhooks/:id',
      write,
      {
        operationId: 'deleteWebhook',
        tag,
        summary: 'Delete a webhook and its deliveries',
        params,
        problems: ['not_found'],
      },
      ({ params: { id }, user }) => deleteWebhook(ctx, id, mayStill(user)),
    ),

    post(
      '/admin/webhooks/:id/secret',
      proved,
      {
        operationId: 'rotateWebhookSecret',
        tag,
        summary: 'Replace the secret of a webhook',
        params,
        body: SecretRotation,
        returns: CreatedWebhook,
        problems: ['not_found'],
      },
      async ({ body, params: { id }, user }) => {
        const rotated = await rotateSecret(ctx, id, body.keepPrevious, mayStill(user));
        return { ...listedWebhook(rotated.webhook), secret: rotated.secret };
      },
    ),
  ];
};
