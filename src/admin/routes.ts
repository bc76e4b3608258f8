import { z } from 'zod';
import { adminUser } from '#src/admin/admin-user';
import { listUsers } from '#src/admin/list-users';
import { UserQuery } from '#src/admin/user-query';
import {
  authenticate,
  requireFreshProof,
  requireFullAccess,
  requirePermission,
} from '#src/authentication/guards';
import type { Context } from '#src/context';
import { requireFactorLeft } from '#src/factors/required';
import { resetFactors } from '#src/factors/reset-factors';
import { lifetimes } from '#src/lifetimes';
import { Id, Listing } from '#src/platform/http/listing';
import { del, get, type Route } from '#src/platform/http/route';
import { Time } from '#src/platform/http/time';
import { requireLivePermission } from '#src/sessions/require-live-permission';
import { publicUserFields } from '#src/users/schemas';

const AdminUser = z
  .object({ ...publicUserFields, disabled: z.boolean(), createdAt: Time })
  .meta({ id: 'AdminUser' });
const AdminUserPage = Listing(AdminUser);

export const adminRoutes = (ctx: Context): Route[] => [
  get(
    '/admin/users',
    [authenticate(ctx), requirePermission('users:read')],
    {
      operationId: 'listUsers',
      tag: 'Administration',
      summary: 'List users',
      query: UserQuery,
      returns: AdminUserPage,
    },
    async (req) => {
      const { data, nextCursor } = await listUsers(ctx, req.query);
      return { data: data.map(adminUser), nextCursor };
    },
  ),

  del(
    '/admin/users/:id/factors',
    [
      authenticate(ctx),
      requirePermission('factors:reset'),
      requireFullAccess,
      requireFreshProof(ctx, lifetimes.freshCredentialChangeMinutes),
    ],
    {
      operationId: 'resetFactors',
      tag: 'Administration',
      summary: 'Remove all second factors of a user',
      description:
        'For who has lost them and every recovery code. They are told by mail, and their sessions go on as `aal1`. Be sure of whom you talk to.',
      params: z.strictObject({ id: Id }),
      problems: ['not_found', 'last_factor'],
    },
    async ({ user, params: { id } }) =>
      ctx.db.transaction(async () => {
        await requireLivePermission(ctx, user, 'factors:reset');
        if (id === user.id) await requireFactorLeft(ctx, id, 0);
        await resetFactors(ctx, id);
      }),
  ),
];
