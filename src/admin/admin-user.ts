import { z } from 'zod';
import type { User } from '#models/index';
import { Time } from '#src/platform/http/time';
import { principalOf } from '#src/users/principal';
import { publicUser, publicUserFields } from '#src/users/schemas';

export const adminUserFields = { ...publicUserFields, disabled: z.boolean(), createdAt: Time };
export const AdminUser = z.object(adminUserFields).meta({ id: 'AdminUser' });

/** A user, loaded with roles, as administrators see them. */
export const adminUser = (user: User): z.input<typeof AdminUser> => ({
  ...publicUser(principalOf(user)),
  disabled: user.disabledAt !== null,
  createdAt: user.createdAt,
});
