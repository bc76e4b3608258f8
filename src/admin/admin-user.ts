import { z } from 'zod';
import type { User } from '#models/index';
import { Time } from '#src/platform/http/time';
import { principalOf } from '#src/users/principal';
import { publicUser, publicUserFields, UserLocale } from '#src/users/schemas';

export const adminUserFields = {
  ...publicUserFields,
  locale: UserLocale.nullable(),
  disabled: z.boolean(),
  createdAt: Time,
};
export const AdminUser = z.object(adminUserFields).meta({ id: 'AdminUser' });

/** A user, loaded with roles, as administrators see them. */
export function adminUser(user: User): z.input<typeof AdminUser> {
  const principal = principalOf(user);
  return {
    ...publicUser(principal),
    locale: principal.locale,
    disabled: user.disabledAt !== null,
    createdAt: user.createdAt,
  };
}
