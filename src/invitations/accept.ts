import { Op, type WhereOptions } from 'sequelize';
import type { Invitation, User } from '#models/index';
import type { Context } from '#src/context';
import { INVITATION, rolesOf } from '#src/invitations/invite';
import { lackedToInvite, rolesNamed } from '#src/invitations/may-invite';
import { digestOf } from '#src/one-time-tokens/one-time-tokens';
import { requireStrong } from '#src/passwords/password-policy';
import type { Identifier } from '#src/platform/email-address';
import { Problem } from '#src/platform/http/problem';
import { forgetSignUps } from '#src/sign-ups/sign-ups';
import { createUser } from '#src/users/create-user';
import { mapUniqueViolation } from '#src/users/map-unique-violation';
import type { UserFields } from '#src/users/user-row';

export interface Acceptance {
  /** Of the link. */
  token: string;
  password?: string | undefined;
  username?: Identifier | undefined;
  name?: string | undefined;
}

/**
 * Makes a user of whoever got the mail of an invitation, with its roles and the address that the mail went to, which is
 * confirmed by that. It works once. Without a password they go on with a passkey or a provider. Never another user's
 * account: an address that somebody has by now is refused. Answers the user, loaded with roles.
 * @throws {Problem} 400 `invalid_code` for a link that was used, replaced, taken back or has expired, and if its inviter may
 * not invite any more; 409 `email_taken`, `username_taken`; 422 `weak_password`; 503 `busy`. None of them spends it
 */
export async function acceptInvitation(
  ctx: Context,
  { token, password, username, name }: Acceptance,
): Promise<User> {
  const where = { digest: digestOf(INVITATION, token) };
  const invitation = await findValid(ctx, where);
  if (!invitation) throw new Problem('invalid_code');
  const { emailCanonical } = invitation;
  const chosen = { username, name: name ?? invitation.name };
  const passwordHash = await hashOf(ctx, password, {
    username: username?.canonical,
    email: emailCanonical,
    name: chosen.name,
  });
  return mapUniqueViolation(() =>
    ctx.db.transaction(async () => {
      const user = await join(ctx, where, chosen, { passwordHash });
      if (!user) throw new Problem('invalid_code');
      return user;
    }),
  );
}

/** Hashes before the transaction: that is slow, and locks must be short. */
async function hashOf(
  ctx: Context,
  password: string | undefined,
  owner: Parameters<typeof requireStrong>[2],
): Promise<string | null> {
  if (password === undefined) return null;
  await requireStrong(ctx, password, owner);
  return ctx.passwords.hash(password);
}

/**
 * The same for somebody who has proved in another way that an invited address is theirs: by a provider, or by a code in a
 * mail. Null if it is not invited. Call it in a transaction.
 */
export const joinInvited = (
  ctx: Context,
  { canonical }: Identifier,
  names: Pick<UserFields, 'username' | 'name'> = {},
): Promise<User | null> => join(ctx, { emailCanonical: canonical }, names);

/** The address that the link of an invitation was mailed to. Undefined: the link is not good. */
export const invitedAddress = async (ctx: Context, token: string): Promise<string | undefined> =>
  (await findValid(ctx, { digest: digestOf(INVITATION, token) }))?.email;

/** True if this canonical address is invited. */
export const isInvited = async (ctx: Context, emailCanonical: string): Promise<boolean> =>
  (await findValid(ctx, { emailCanonical })) !== null;

const findValid = (
  { db, clock }: Context,
  where: WhereOptions<Invitation>,
): Promise<Invitation | null> =>
  db.Invitation.findOne({ where: { ...where, expiresAt: { [Op.gt]: clock.date() } } });

/** Spends an invitation and makes its user, in a transaction. Of many at once, one does. */
async function join(
  ctx: Context,
  where: WhereOptions<Invitation>,
  { username, name }: Pick<UserFields, 'username' | 'name'>,
  more: Pick<UserFields, 'passwordHash'> = {},
): Promise<User | null> {
  const { db, clock, events } = ctx;
  const invitation = await findValid(ctx, where);
  if (!invitation) return null;
  const { id, email, emailCanonical, invitedBy } = invitation;
  if ((await db.Invitation.destroy({ where: { ...where, id } })) === 0) return null;
  const roles = await rolesNamed(ctx, rolesOf(invitation));
  if (!roles || (await lackedToInvite(ctx, invitedBy ?? null, roles)).length > 0) return null;
  const user = await createUser(
    ctx,
    {
      username,
      email: { display: email, canonical: emailCanonical },
      name: name ?? invitation.name,
      emailVerifiedAt: clock.date(),
      ...more,
    },
    roles.map((role) => role.name),
  );
  await forgetSignUps(ctx, emailCanonical);
  events.emit('invitation.accepted', { invitationId: id, userId: user.id });
  return user;
}
