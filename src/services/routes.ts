import type { Response } from 'express';
import { z } from 'zod';
import type { Service } from '#models/index';
import { administer } from '#src/authentication/administer';
import { authenticate, requirePermission } from '#src/authentication/guards';
import type { Context } from '#src/context';
import { SealedPage } from '#src/platform/http/cursor';
import { Id, Listing } from '#src/platform/http/listing';
import { del, get, patch, post, type Route } from '#src/platform/http/route';
import {
  createService,
  deleteService,
  etagOfService,
  listServices,
  rotateServiceSecret,
  serviceOf,
  updateService,
} from '#src/services/manage';
import {
  CreatedService,
  ListedService,
  listedService,
  NewService,
  ServiceChanges,
  ServiceSecretRotation,
} from '#src/services/schemas';
import { stillMay } from '#src/sessions/require-live-permission';

const tag = 'Administration';
const [READ, WRITE] = ['services:read', 'services:write'] as const;
const params = z.strictObject({ id: Id });
const ServicePage = Listing(ListedService);

function withEtag(res: Response, service: Service) {
  res.setHeader('ETag', etagOfService(service));
  return listedService(service);
}

export const serviceRoutes = (ctx: Context): Route[] => {
  const mayStill = stillMay(ctx, WRITE);
  const read = [authenticate(ctx), requirePermission(READ)] as const;
  const write = [authenticate(ctx), requirePermission(WRITE)] as const;
  // Whoever gets a secret to see, or says what it opens, must have proved who they are.
  const proved = administer(ctx, WRITE);
  return [
    get(
      '/admin/services',
      read,
      {
        operationId: 'listServices',
        tag,
        summary: 'List services',
        query: SealedPage,
        returns: ServicePage,
      },
      async (req) => {
        const { data, nextCursor } = await listServices(ctx, req.query);
        return { data: data.map(listedService), nextCursor };
      },
    ),

    post(
      '/admin/services',
      proved,
      {
        operationId: 'createService',
        tag,
        summary: 'Create a service',
        description: 'Another service that asks about tokens: a confidential client.',
        body: NewService,
        returns: CreatedService,
        status: 201,
        problems: ['conflict'],
      },
      async ({ body, user }) => {
        const { service, secret } = await createService(ctx, body, mayStill(user));
        return { ...listedService(service), secret };
      },
    ),

    get(
      '/admin/services/:id',
      read,
      {
        operationId: 'getService',
        tag,
        summary: 'Show a service',
        params,
        returns: ListedService,
        etag: true,
        problems: ['not_found'],
      },
      async (req, res) => withEtag(res, await serviceOf(ctx, req.params.id)),
    ),

    patch(
      '/admin/services/:id',
      proved,
      {
        operationId: 'updateService',
        tag,
        summary: 'Change the name or the scopes of a service',
        params,
        body: ServiceChanges,
        returns: ListedService,
        etag: true,
        problems: ['not_found', 'conflict', 'precondition_failed'],
      },
      async ({ body, headers, params: { id }, user }, res) => {
        const condition = { before: mayStill(user), ifMatch: headers['if-match'] };
        return withEtag(res, await updateService(ctx, id, body, condition));
      },
    ),

    del(
      '/admin/services/:id',
      write,
      {
        operationId: 'deleteService',
        tag,
        summary: 'Delete a service',
        description: 'Its secrets are void at once.',
        params,
        problems: ['not_found'],
      },
      ({ params: { id }, user }) => deleteService(ctx, id, mayStill(user)),
    ),

    post(
      '/admin/services/:id/secret',
      proved,
      {
        operationId: 'rotateServiceSecret',
        tag,
        summary: 'Replace the secret of a service',
        params,
        body: ServiceSecretRotation,
        returns: CreatedService,
        problems: ['not_found'],
      },
      async ({ body, params: { id }, user }) => {
        const { keepPrevious } = body;
        const { service, secret } = await rotateServiceSecret(
          ctx,
          id,
          keepPrevious,
          mayStill(user),
        );
        return { ...listedService(service), secret };
      },
    ),
  ];
};
