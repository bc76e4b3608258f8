import { z } from 'zod';
import { AdminUser, adminUser } from '#src/admin/admin-user';
import { changeUser } from '#src/admin/change-user';
import { listUsers } from '#src/admin/list-users';
import { UserQuery } from '#src/admin/user-query';
import { administer } from '#src/authentication/administer';
import { authenticate, requirePermission } from '#src/authentication/guards';
import type { Context } from '#src/context';
import { requireFactorLeft } from '#src/factors/required';
import { resetFactors } from '#src/factors/reset-factors';
import { Id, Listing } from '#src/platform/http/listing';
import { del, get, type Route } from '#src/platform/http/route';

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
    administer(ctx, 'factors:reset'),
    {
      operationId: 'resetFactors',
      tag: 'Administration',
      summary: 'Remove all second factors of a user',
      description:
        'For who has lost them and every recovery code. They are told by mail, and their sessions go on as `aal1`. Be sure of whom you talk to. You must have every permission that they have.',
      params: z.strictObject({ id: Id }),
      problems: ['not_found', 'last_factor'],
    },
    ({ user: by, params: { id } }) =>
      changeUser(ctx, id, { by, permission: 'factors:reset' }, async () => {
        if (id === by.id) await requireFactorLeft(ctx, id, 0);
        await resetFactors(ctx, id);
      }),
  ),
];
