import { z } from 'zod';
import { RoleName } from '#src/access/roles';
import { listUsers } from '#src/admin/list-users';
import { Listing, Page } from '#src/core/listing';
import { PlainText } from '#src/core/text';
import { Time } from '#src/core/time';
import { requireRole } from '#src/http/guards';
import { authenticate } from '#src/http/passport';
import { get } from '#src/http/route';
import { publicUser, publicUserFields } from '#src/users/schemas';

const AdminUser = z.object({ ...publicUserFields, disabled: z.boolean(), createdAt: Time }).meta({ id: 'AdminUser' });

export default [
  get(
    '/admin/users',
    [authenticate(), requireRole('admin')],
    {
      tag: 'Governing',
      summary: 'List users',
      query: Page.extend({
        q: PlainText.max(100).optional().meta({ description: 'Part of a username or e-mail address, taken literally.' }),
        role: RoleName.optional().meta({ description: 'Only users who have this role.' }),
      }),
      returns: Listing(AdminUser),
    },
    async (req) => {
      const { data, nextCursor } = await listUsers(req.query);
      return {
        data: data.map((user) => ({ ...publicUser(user), disabled: user.disabledAt !== null, createdAt: user.createdAt })),
        nextCursor,
      };
    },
  ),
];
