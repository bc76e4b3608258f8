import { Op } from 'sequelize';
import { z } from 'zod';
import type { Invitation } from '#models/index';
import type { Context } from '#src/context';
import { keptSince, rolesOf } from '#src/invitations/invite';
import { purge } from '#src/platform/database/purge';
import { openCursor, sealCursor, type SealedPage } from '#src/platform/http/cursor';
import { Listing, pageOf } from '#src/platform/http/listing';
import { Time } from '#src/platform/http/time';

/** An invitation that was not accepted. */
export const PendingInvitation = z
  .object({
    id: z.uuid(),
    email: z.string(),
    name: z.string().nullable(),
    roles: z.array(z.string()).meta({ example: ['user'] }),
    invitedBy: z
      .string()
      .nullable()
      .meta({ description: 'Id of the user who invites. Null: whoever runs the server.' }),
    createdAt: Time,
    expiresAt: Time.meta({ description: 'From then on the link is void. It can be sent again.' }),
  })
  .meta({ id: 'Invitation' });
export const InvitationPage = Listing(PendingInvitation);

export const pendingInvitation = (row: Invitation): z.input<typeof PendingInvitation> => ({
  id: row.id,
  email: row.email,
  name: row.name ?? null,
  roles: rolesOf(row),
  invitedBy: row.invitedBy ?? null,
  createdAt: row.createdAt,
  expiresAt: row.expiresAt,
});

/**
 * One page of the invitations that nobody has accepted, the newest first, also of those that have expired.
 * @throws {Problem} 400 `invalid_request` for a cursor of another list
 */
export async function listInvitations(
  ctx: Context,
  { limit, cursor }: SealedPage,
): Promise<z.input<typeof InvitationPage>> {
  const list = ['invitations'];
  const [last] = cursor === undefined ? [] : openCursor(ctx, list, cursor);
  const found = await ctx.db.Invitation.findAll({
    where: {
      expiresAt: { [Op.gt]: keptSince(ctx) },
      id: { [Op.lt]: last ?? '~' }, // always a range of the primary key
    },
    order: [['id', 'DESC']],
    limit: limit + 1,
  });
  const { data, nextCursor } = pageOf(found, limit);
  return {
    data: data.map(pendingInvitation),
    nextCursor: nextCursor && sealCursor(ctx, list, [nextCursor]),
  };
}

/** Deletes those that expired long ago. */
export async function purgeInvitations(ctx: Context, stopped?: AbortSignal) {
  const { db } = ctx;
  const where = { expiresAt: { [Op.lt]: keptSince(ctx) } };
  await purge((limit) => db.Invitation.destroy({ where, limit }), stopped);
}
