import { z } from 'zod';
import { RoleName } from '#src/access/roles';
import { adminUser } from '#src/admin/admin-user';
import { listUsers } from '#src/admin/list-users';
import { SEARCHED_USERS } from '#src/admin/search-users';
import {
  authenticate,
  requireFreshProof,
  requireFullAccess,
  requireRole,
} from '#src/authentication/guards';
import type { Context } from '#src/context';
import { requireFactorLeft } from '#src/factors/required';
import { resetFactors } from '#src/factors/reset-factors';
import { lifetimes } from '#src/lifetimes';
import { Id, Listing, Page } from '#src/platform/http/listing';
import { del, get, type Route } from '#src/platform/http/route';
import { Time } from '#src/platform/http/time';
import { PlainText } from '#src/platform/text';
import { publicUserFields } from '#src/users/schemas';

const AdminUser = z
  .object({ ...publicUserFields, disabled: z.boolean(), createdAt: Time })
  .meta({ id: 'AdminUser' });
const AdminUserPage = Listing(AdminUser);

const UserQuery = Page.extend({
  q: PlainText.max(100)
    .optional()
    .meta({
      description:
        'Part of a username or e-mail address. Every character means itself. ' +
        `The server reads ${SEARCHED_USERS} users for each page, so a page may be short or empty: go on while there is a \`nextCursor\`. ` +
        'A user whose whole username or address it is comes first, on the first page.',
    }),
  role: RoleName.optional().meta({ description: 'Only users with this role.' }),
});

export const adminRoutes = (ctx: Context): Route[] => [
  get(
    '/admin/users',
    [authenticate(ctx), requireRole('admin')],
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
      requireRole('admin'),
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
    async (req) => {
      const { id } = req.params;
      if (id === req.user.id) await requireFactorLeft(ctx, id, 0);
      await resetFactors(ctx, id);
    },
  ),
];
