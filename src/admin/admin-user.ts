import type { User } from '#models/index';
import { principalOf } from '#src/users/principal';
import { publicUser } from '#src/users/schemas';

interface AdminUser extends ReturnType<typeof publicUser> {
  disabled: boolean;
  createdAt: Date;
}

/** A user, loaded with roles, as administrators see them. */
export const adminUser = (user: User): AdminUser => ({
  ...publicUser(principalOf(user)),
  disabled: user.disabledAt !== null,
  createdAt: user.createdAt,
});
