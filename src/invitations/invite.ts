import { randomBytes } from 'node:crypto';
import { Op, UniqueConstraintError } from 'sequelize';
import { v7 as uuid } from 'uuid';
import { z } from 'zod';
import type { Invitation } from '#models/index';
import { RoleName } from '#src/access/roles';
import type { Context } from '#src/context';
import { invitationMail } from '#src/invitations/mails';
import { lackedToInvite, rolesNamed } from '#src/invitations/may-invite';
import { DAY_MS, lifetimes } from '#src/lifetimes';
import { digestOf } from '#src/one-time-tokens/one-time-tokens';
import { Problem } from '#src/platform/http/problem';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo } from '#src/platform/mail/template';
import { requireLivePermission } from '#src/sessions/require-live-permission';
import { countAdminMail } from '#src/user-mail/admin-mail-limit';
import type { Principal } from '#src/users/principal';
import { Email, Name } from '#src/users/schemas';

/** Purpose of the tokens of invitations. */
export const INVITATION = 'invitation';
/** So many roles, and no more, have room in `models/invitation`. */
const MOST_ROLES = 20;

/** Whom to invite. `roles`: besides `user`. */
export const NewInvitation = z.strictObject({
  email: Email,
  name: Name.optional(),
  roles: z
    .array(RoleName)
    .max(MOST_ROLES - 1)
    .optional(),
});
export type NewInvitation = z.output<typeof NewInvitation>;

/**
 * Invites somebody by a mail with a link. There is no user before they accept. `by`: whoever invites; undefined for an
 * operator or the app, who may do everything.
 * @throws {Problem} 400 `invalid_request` for a role that does not exist; 401 `session_ended`; 403 `forbidden`; 409
 * `email_taken` if a user has the address, `conflict` if it is invited already; 429 `rate_limited`
 */
export async function invite(
  ctx: Context,
  { email, name, roles = [] }: NewInvitation,
  by?: Principal,
): Promise<Invitation> {
  const { db, clock, events } = ctx;
  const all = [...new Set(['user', ...roles])].sort();
  const emailCanonical = email.canonical;
  await countAdminMail(ctx, by, emailCanonical);
  const create = () =>
    db.transaction(async () => {
      if (by) await requireLivePermission(ctx, by, 'users:write');
      await requireAssignable(ctx, by, all);
      await requireUnused(ctx, emailCanonical);
      const expired = { emailCanonical, expiresAt: { [Op.lte]: clock.date() } };
      await db.Invitation.destroy({ where: expired });
      const invitation = await db.Invitation.create({
        id: uuid(),
        email: email.display,
        emailCanonical,
        name: name ?? null,
        roles: all.join(' '),
        invitedBy: by?.id ?? null,
        expiresAt: clock.date(),
      });
      await sendLink(ctx, invitation);
      events.emit('invitation.sent', { invitationId: invitation.id });
      return invitation;
    });
  return create().catch((error: unknown) => {
    if (!(error instanceof UniqueConstraintError)) throw error;
    throw new Problem('conflict', { cause: error });
  });
}

/**
 * Sends another link, which makes the one before void, with all the time that an invitation has, also if it has expired.
 * Whoever sends it is the inviter from now on.
 * @throws {Problem} 401 `session_ended`; 403 `forbidden`; 404 `not_found`; 409 `email_taken`; 429 `rate_limited`
 */
export async function resendInvitation(
  ctx: Context,
  id: string,
  by?: Principal,
): Promise<Invitation> {
  const before = by && (await ctx.db.Invitation.findByPk(id));
  if (before) await countAdminMail(ctx, by, before.emailCanonical);
  return ctx.db.transaction(async () => {
    if (by) await requireLivePermission(ctx, by, 'users:write');
    const invitation = await ctx.db.Invitation.findOne({
      where: { id, expiresAt: { [Op.gt]: keptSince(ctx) } },
    });
    if (!invitation) throw new Problem('not_found');
    await requireAssignable(ctx, by, rolesOf(invitation));
    await requireUnused(ctx, invitation.emailCanonical);
    await sendLink(ctx, invitation.set({ invitedBy: by?.id ?? null }));
    ctx.events.emit('invitation.sent', { invitationId: id });
    return invitation;
  });
}

/** Those that expired before wait to be deleted only. */
export const keptSince = ({ clock }: Pick<Context, 'clock'>): Date =>
  clock.date(-lifetimes.expiredInvitationDays * DAY_MS);

/**
 * Takes an invitation back: its link is void at once.
 * @throws {Problem} 401 `session_ended`; 403 `forbidden`; 404 `not_found`
 */
export const revokeInvitation = (ctx: Context, id: string, by?: Principal): Promise<void> =>
  ctx.db.transaction(async () => {
    if (by) await requireLivePermission(ctx, by, 'users:write');
    if ((await ctx.db.Invitation.destroy({ where: { id } })) === 0) throw new Problem('not_found');
    ctx.events.emit('invitation.revoked', { invitationId: id });
  });

export const rolesOf = ({ roles }: Pick<Invitation, 'roles'>): string[] => roles.split(' ');

async function requireUnused({ db }: Context, emailCanonical: string): Promise<void> {
  if ((await db.User.count({ where: { emailCanonical } })) > 0) throw new Problem('email_taken');
}

async function requireAssignable(
  ctx: Context,
  by: Principal | undefined,
  roles: readonly string[],
): Promise<void> {
  const found = await rolesNamed(ctx, roles);
  if (found) {
    const required = await lackedToInvite(ctx, by?.id ?? null, found);
    if (required.length > 0) throw new Problem('forbidden', { members: { required } });
    return;
  }
  const errors = [{ pointer: '/roles', code: 'invalid', message: 'There is no such role' }];
  throw new Problem('invalid_request', { members: { errors } });
}

/**
 * One statement: of two at once, the link of the last one is good. It changes what it finds, always: no mail goes out for an
 * invitation that was accepted or taken back meanwhile.
 */
async function sendLink(ctx: Context, invitation: Invitation): Promise<void> {
  const token = randomBytes(32).toString('base64url');
  const digest = digestOf(INVITATION, token);
  const expiresAt = ctx.clock.date(lifetimes.invitationSeconds * 1000);
  const { id, invitedBy } = invitation.set({ digest, expiresAt });
  const sent = { digest, expiresAt, invitedBy: invitedBy ?? null };
  const [rows] = await ctx.db.Invitation.update(sent, { where: { id } });
  if (rows === 0) throw new Problem('not_found');
  const link = linkTo(ctx.settings, '/accept-invitation', { token });
  await queueMail(ctx, invitation.email, invitationMail({ name: invitation.name, link }));
}
