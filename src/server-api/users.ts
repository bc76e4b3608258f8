import { Readable } from 'node:stream';
import type { z } from 'zod';
import type { User } from '#models/index';
import { disableUser, enableUser } from '#src/account/disable';
import { deleteUser, sendPasswordReset, unlockUser } from '#src/admin/govern-user';
import { editUser, UserEdits } from '#src/admin/edit-user';
import { detailsOf } from '#src/admin/show-user';
import { listUsers, type AskedPage, type UserPage } from '#src/admin/list-users';
import type { Context } from '#src/context';
import { confirmUser } from '#src/email/verify-email';
import { resetFactors } from '#src/factors/reset-factors';
import { exportUser } from '#src/personal-data/export-user';
import { setPassword } from '#src/passwords/set-password';
import { verifyCredentials } from '#src/passwords/verify-credentials';
import { invalidFields } from '#src/platform/http/parse';
import { register } from '#src/registration/register';
import { roleNamed } from '#src/roles/role';
import { named } from '#src/server-api/credentials';
import type { ThrottleSubject } from '#src/strategy-kit/strategy';
import { findUser } from '#src/users/find';
import { NewUser } from '#src/users/schemas';
import { identitySubject, passwordSubject, throttleSubject } from '#src/users/throttle-subject';

/** A new user, as an app that embeds the server creates one. A username, an e-mail address, or both. */
export interface NewUserInput {
  username?: string;
  email?: string;
  password: string;
  name?: string;
  /** True if you vouch that the address is theirs. Without it, a mail asks to confirm it (EMAIL_VERIFICATION). */
  emailVerified?: boolean;
}

/** What may change of a user, as it is typed. Null removes it; a username or an address must be left. */
export type UserEditsInput = z.input<typeof UserEdits>;
/** A user, and all that they have. */
export type UserDetails = Awaited<ReturnType<typeof detailsOf>>;

export const usersApi = (ctx: Context) => ({
  /** The user, loaded with roles, or null. */
  find: (user: string): Promise<User | null> => findUser(ctx, user),
  /**
   * One page, in the order of registration unless `sort` says otherwise. `limit` is 1 to 100.
   * @throws {Problem} 400 `invalid_request` for a cursor of another list, order or filter
   */
  list: (asked: AskedPage): Promise<UserPage> => listUsers(ctx, asked),
  /**
   * Creates a user with these roles (default: `user`).
   * @throws {Problem} 400 `invalid_request`, 404 `not_found` for a role, 409 `username_taken`, `email_taken`, 422
   * `weak_password`
   */
  async create(input: NewUserInput, roles?: readonly string[]): Promise<User> {
    const { data, error } = NewUser.safeParse(input);
    if (error) throw invalidFields(error);
    for (const role of roles ?? []) await roleNamed(ctx, role);
    return register(ctx, data, roles);
  },
  /**
   * Sets another password. Ends every session and API key of the user.
   * @throws {Problem} 404 `not_found`, 422 `weak_password`
   */
  setPassword: async (user: string, password: string): Promise<void> =>
    setPassword(ctx, (await named(ctx, user)).id, password),
  /** Takes the address for theirs. Answers false if there is none to verify. @throws {Problem} 404 `not_found` */
  async verifyEmail(user: string): Promise<boolean> {
    const { id, emailCanonical } = await named(ctx, user);
    return emailCanonical !== null && confirmUser(ctx, id, emailCanonical);
  },
  /** Lets a user in at once whom failed sign-ins keep out. @throws {Problem} 404 `not_found` */
  forgetFailures: async (user: string): Promise<void> =>
    unlockUser(ctx, (await named(ctx, user)).id),
  /**
   * Changes names, address or state, all of it or nothing, and answers the user. `username` and `email` are as they were
   * typed. A new address is unconfirmed: a mail asks its owner to confirm it, another one tells the old address.
   * @throws {Problem} 400 `invalid_request`, 404 `not_found`, 409 `username_taken`, `email_taken`, `last_way_in`, `last_admin`
   */
  async edit(user: string, input: UserEditsInput): Promise<User> {
    const { data, error } = UserEdits.safeParse(input);
    if (error) throw invalidFields(error);
    return editUser(ctx, (await named(ctx, user)).id, data);
  },
  /** All that a user has: factors, identities, sessions, failed sign-ins. @throws {Problem} 404 `not_found` */
  details: async (user: string): Promise<UserDetails> => detailsOf(ctx, await named(ctx, user)),
  /**
   * Mails the link that sets a new password. With `endSessions` every session ends at once.
   * @throws {Problem} 404 `not_found`, 409 `conflict` for a user who has no address, or is disabled
   */
  sendPasswordReset: async (user: string, options: { endSessions?: boolean } = {}): Promise<void> =>
    sendPasswordReset(ctx, (await named(ctx, user)).id, { signOut: options.endSessions }),
  /** Takes every second factor from a user who has lost them. Answers how many. @throws {Problem} 404 `not_found` */
  resetFactors: async (user: string): Promise<number> =>
    resetFactors(ctx, (await named(ctx, user)).id),
  /**
   * Everything that the server knows of a user, as the text of one JSON document: without passwords, secrets and tokens.
   * @throws {Problem} 404 `not_found`
   */
  export: async (user: string): Promise<Readable> =>
    Readable.from(await exportUser(ctx, (await named(ctx, user)).id)),
  /** Ends every session of the user. @throws {Problem} 404 `not_found`, 409 `last_admin` */
  disable: async (user: string): Promise<void> => disableUser(ctx, (await named(ctx, user)).id),
  /** @throws {Problem} 404 `not_found` */
  enable: async (user: string): Promise<void> => enableUser(ctx, (await named(ctx, user)).id),
  /** Deletes the user and all that is theirs. @throws {Problem} 404 `not_found`, 409 `last_admin` */
  delete: async (user: string): Promise<void> => deleteUser(ctx, (await named(ctx, user)).id),
  /** The user whom these credentials belong to, loaded with roles, or null. It starts no session and counts nothing. */
  verifyPassword: (identifier: string, password: string): Promise<User | null> =>
    verifyCredentials(ctx, identifier, password),
  /** Whom failed sign-ins with this name count against. */
  throttleSubject: (name: string): Promise<ThrottleSubject> => throttleSubject(ctx, name),
  /** The same before `verifyPassword`. @throws {Problem} 503 `busy` at once, if that would have to wait too long */
  passwordSubject: (name: string): Promise<ThrottleSubject> => passwordSubject(ctx, name),
  /** The same for an account of a provider, by its permanent id there, if the name that was typed has one. */
  identitySubject: (
    provider: string,
    subject: string | undefined,
    typed: string,
  ): Promise<ThrottleSubject> => identitySubject(ctx, provider, subject, typed),
});
