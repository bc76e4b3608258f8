import { z } from 'zod';
import type { User } from '#models/index';
import { keepAnAdmin } from '#src/access/last-admin';
import { disableUser, enableUser } from '#src/account/disable';
import { changeUser, type By } from '#src/admin/change-user';
import type { Context } from '#src/context';
import { setEmail } from '#src/email/set-email';
import { etagOf, requireMatch } from '#src/platform/http/etag';
import { Problem } from '#src/platform/http/problem';
import { countAdminMail } from '#src/user-mail/admin-mail-limit';
import { mayNotify } from '#src/user-mail/recipients';
import { mapUniqueViolation } from '#src/users/map-unique-violation';
import { Email, Name, Username } from '#src/users/schemas';
import { findWithRoles } from '#src/users/with-roles';

/** What may change of a user. Null removes it. Any username, as the command line may give one. */
export const UserEdits = z.strictObject({
  name: Name.nullable().optional(),
  username: Username.nullable().optional(),
  email: Email.nullable().optional(),
  disabled: z.boolean().optional(),
});
export type UserEdits = z.output<typeof UserEdits>;

interface Condition {
  by?: By;
  /** The header of this name. */
  ifMatch?: string | undefined;
}

/** Of the fields of a user that can be edited. */
export const etagOfUser = ({ id, name, username, email, emailVerifiedAt, disabledAt }: User) =>
  etagOf([id, name, username, email, emailVerifiedAt !== null, disabledAt !== null]);

/**
 * Changes a user in the name of an administrator, and answers the changed row with its roles. All of it, or nothing. A new
 * address is unconfirmed, and gets a mail: see `setEmail`. Who is disabled is signed out.
 * @throws {Problem} 400 `invalid_request` for one's own address; 401 `session_ended`; 403 `forbidden`; 404 `not_found`; 409
 * `username_taken`, `email_taken`, `last_admin`, and `last_way_in` if neither username nor address would be left; 412
 * `precondition_failed`; 429 `rate_limited`
 */
export async function editUser(
  ctx: Context,
  id: string,
  { email, disabled, ...names }: UserEdits,
  { by, ifMatch }: Condition = {},
): Promise<User> {
  const { db } = ctx;
  const before = email === undefined ? null : await db.User.findByPk(id);
  if (before && canonicalOf(email) !== before.emailCanonical)
    await countAdminMail(ctx, by, before.emailCanonical, email?.canonical);
  const tellOld = Boolean(before && (await mayNotify(ctx, before)));
  const edit = () =>
    changeUser(ctx, id, { by, permission: 'users:write' }, async (user) => {
      requireMatch(ifMatch, etagOfUser(user));
      if (id === by?.id) requireSameAddress(user, email);
      requireNameLeft(user, { ...names, email });
      await rename(ctx, user, names);
      if (email !== undefined) await setEmail(ctx, user, email, { tellOld });
      if (disabled !== undefined && disabled !== (user.disabledAt !== null))
        await (disabled ? disableUser : enableUser)(ctx, id);
      return (await findWithRoles(db, { id }))!;
    });
  // Whoever may take the last administrator has that turn before any other.
  return mapUniqueViolation(() => (disabled ? keepAnAdmin(ctx, edit) : edit()));
}

type Edited = Pick<UserEdits, 'username' | 'email'>;

/** As it is stored: null for none. */
const canonicalOf = (email: Edited['email']): string | null => email?.canonical ?? null;

/** The password was not asked for, and the new address has not answered yet. `POST /me/email` asks both. */
function requireSameAddress({ emailCanonical }: User, email: Edited['email']): void {
  if (email === undefined || canonicalOf(email) === emailCanonical) return;
  const message = 'Change your own address at POST /me/email';
  const errors = [{ pointer: '/email', code: 'own_address', message }];
  throw new Problem('invalid_request', { members: { errors } });
}

/** A user who has only identities of providers has neither, and may be changed. */
function requireNameLeft(user: User, { username, email }: Edited): void {
  if (username !== null && email !== null) return;
  const left = [
    username === undefined ? user.usernameCanonical : username,
    email === undefined ? user.emailCanonical : email,
  ];
  const had = user.usernameCanonical ?? user.emailCanonical;
  if (had !== null && left.every((each) => each === null)) throw new Problem('last_way_in');
}

async function rename(
  { events }: Context,
  user: User,
  { name, username }: Pick<UserEdits, 'name' | 'username'>,
): Promise<void> {
  if (name === undefined && username === undefined) return;
  await user.update({
    ...(name !== undefined && { name }),
    ...(username !== undefined && {
      username: username?.display ?? null,
      usernameCanonical: username?.canonical ?? null,
    }),
  });
  events.emit('user.updated', { userId: user.id });
}
