import { Op } from 'sequelize';
import type { Command } from 'commander';
import { validate as isUuid } from 'uuid';
import type { Invitation } from '#models/index';
import { sentence, table, type Answer } from '#src/cli/answer';
import { paged, type OnDatabase } from '#src/cli/command';
import type { Context } from '#src/context';
import {
  invite,
  keptSince,
  NewInvitation,
  resendInvitation,
  revokeInvitation,
} from '#src/invitations/invite';
import { listInvitations, pendingInvitation } from '#src/invitations/list';
import { parseEmail } from '#src/platform/email-address';
import { SealedPage } from '#src/platform/http/cursor';
import { invalidFields } from '#src/platform/http/parse';

export function addInvitationCommands(cli: Command, user: Command, run: OnDatabase): void {
  user
    .command('invite')
    .description('Mail somebody a link to make an account; they choose the password themselves')
    .argument('<address>')
    .option('--name <name>')
    .option('--role <role>', 'besides `user`; may be repeated', collect, [])
    .action(run(inviteUser));
  const invitation = cli.command('invitation').description('List, resend and revoke invitations');
  paged(
    invitation.command('list').description('List those that nobody has accepted'),
    SealedPage.shape,
  ).action(run(list));
  invitation
    .command('resend')
    .description('Send another link, which makes the one before void')
    .argument('<invitation>', 'its id, or the address')
    .action(run(resend));
  invitation
    .command('revoke')
    .description('Take an invitation back: its link is void at once')
    .argument('<invitation>', 'its id, or the address')
    .action(run(revoke));
}

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

async function inviteUser(
  ctx: Context,
  email: string,
  { name, role }: { name?: string; role: readonly string[] },
): Promise<Answer> {
  const { data, error } = NewInvitation.safeParse({ email, name, roles: role });
  if (error) throw invalidFields(error);
  const made = await invite(ctx, data);
  return sentence(`${made.email} is invited: a mail is on its way.`, pendingInvitation(made));
}

const list = async (ctx: Context, page: SealedPage): Promise<Answer> =>
  table(await listInvitations(ctx, page), {
    ID: ({ id }) => id,
    EMAIL: ({ email }) => email,
    NAME: ({ name }) => name,
    ROLES: ({ roles }) => roles,
    CREATED: ({ createdAt }) => createdAt,
    EXPIRES: ({ expiresAt }) => expiresAt,
  });

async function resend(ctx: Context, typed: string): Promise<Answer> {
  const { id } = await invitationNamed(ctx, typed);
  const sent = await resendInvitation(ctx, id);
  return sentence(`Another mail is on its way to ${sent.email}.`, pendingInvitation(sent));
}

async function revoke(ctx: Context, typed: string): Promise<Answer> {
  const { id, email } = await invitationNamed(ctx, typed);
  await revokeInvitation(ctx, id);
  return sentence(`The invitation of ${email} is taken back.`, { invitationId: id, email });
}

/** @throws {Error} a sentence, if there is none */
async function invitationNamed(ctx: Context, typed: string): Promise<Invitation> {
  const parsed = parseEmail(typed);
  const where = isUuid(typed)
    ? { id: typed.toLowerCase() }
    : 'canonical' in parsed && { emailCanonical: parsed.canonical };
  const found =
    where &&
    (await ctx.db.Invitation.findOne({
      where: { ...where, expiresAt: { [Op.gt]: keptSince(ctx) } },
    }));
  if (!found) throw new Error('There is no such invitation. `invitation list` shows them all.');
  return found;
}
