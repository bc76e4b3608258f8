import { z } from 'zod';
import { RoleName } from '#src/access/roles';
import { listUsers } from '#src/admin/list-users';
import { authenticate, requireRole } from '#src/authentication/guards';
import type { Context } from '#src/context';
import { Listing, Page } from '#src/platform/http/listing';
import { get, type Route } from '#src/platform/http/route';
import { Time } from '#src/platform/http/time';
import { PlainText } from '#src/platform/text';
import { principalOf } from '#src/users/principal';
import { publicUser, publicUserFields } from '#src/users/schemas';

const AdminUser = z
  .object({ ...publicUserFields, disabled: z.boolean(), createdAt: Time })
  .meta({ id: 'AdminUser' });
const AdminUserPage = Listing(AdminUser);

const UserQuery = Page.extend({
  q: PlainText.max(100).optional().meta({
    description: 'Part of a username or e-mail address. Every character means itself.',
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
      const users = data.map((user) => ({
        ...publicUser(principalOf(user)),
        disabled: user.disabledAt !== null,
        createdAt: user.createdAt,
      }));
      return { data: users, nextCursor };
    },
  ),
];
