import type { z } from 'zod';
import type { Context } from '#src/context';
import { isInvited } from '#src/invitations/accept';
import { invite, NewInvitation, resendInvitation, revokeInvitation } from '#src/invitations/invite';
import { listInvitations, pendingInvitation } from '#src/invitations/list';
import { invalidFields } from '#src/platform/http/parse';

/** Whom to invite: an address, and maybe a name, and roles besides `user`. */
export type NewInvitationInput = z.input<typeof NewInvitation>;

export const invitationsApi = (ctx: Context) => ({
  /**
   * Invites somebody by a mail with a link. There is no user before they accept.
   * @throws {Problem} 400 `invalid_request`, 409 `email_taken`, `conflict` if the address is invited already
   */
  async create(input: NewInvitationInput) {
    const { data, error } = NewInvitation.safeParse(input);
    if (error) throw invalidFields(error);
    return pendingInvitation(await invite(ctx, data));
  },
  /** True if this canonical address is invited: whoever proves that it is theirs may join. */
  isInvited: (email: string): Promise<boolean> => isInvited(ctx, email),
  /** One page of those that nobody has accepted, the newest first, also of expired ones. `limit` is 1 to 100. */
  list: (page: { limit: number; cursor?: string }) => listInvitations(ctx, page),
  /** Sends another link, which makes the one before void. By its id. @throws {Problem} 404 `not_found`, 409 `email_taken` */
  resend: async (id: string) => pendingInvitation(await resendInvitation(ctx, id)),
  /** Takes it back. By its id. @throws {Problem} 404 `not_found` */
  revoke: (id: string): Promise<void> => revokeInvitation(ctx, id),
});
