import { Op } from 'sequelize';
import { z } from 'zod';
import type { User } from '#models/index';
import { adminUser, adminUserFields } from '#src/admin/admin-user';
import type { Context } from '#src/context';
import { ListedFactor, listedFactor } from '#src/factors/schemas';
import { ListedIdentity } from '#src/federation/schemas';
import { Time } from '#src/platform/http/time';
import { ListedSession, listedSession } from '#src/sessions/schemas';
import { loginFailuresOf } from '#src/users/throttle-subject';

/** Of each kind of thing that a user has, so many are shown. */
const MOST_SHOWN = 100;

const LoginFailure = z.object({
  of: z.string().meta({
    description: '`sign_in`, `second_factor`, or the name of a provider with accounts of its own.',
    example: 'sign_in',
  }),
  network: z.string().nullable().meta({
    description:
      'A network that the user has signed in from, which is counted apart. Null: all others together.',
  }),
  count: z.int(),
  lockedUntil: Time.nullable().meta({
    description: 'Until then every sign-in from there is refused. Null: it is tried.',
  }),
});

/** A user, and all that they have. */
export const AdminUserDetails = z
  .object({
    ...adminUserFields,
    hasPassword: z.boolean(),
    factors: z.array(ListedFactor),
    recoveryCodesLeft: z.int(),
    identities: z
      .array(ListedIdentity)
      .meta({ description: 'Accounts of providers that the user signs in with.' }),
    sessions: z.array(ListedSession).meta({ description: 'Those that live, the newest first.' }),
    apiKeys: z.int().meta({ description: 'How many.' }),
    loginFailures: z
      .array(LoginFailure)
      .meta({ description: 'Failed sign-ins that are not forgotten yet.' }),
  })
  .meta({ id: 'AdminUserDetails' });

/** What a user has. `user` must be loaded with roles. `current`: the id of the session of this request. */
export async function detailsOf(
  ctx: Context,
  user: User,
  current?: string,
): Promise<z.input<typeof AdminUserDetails>> {
  const { db, clock } = ctx;
  const userId = user.id;
  const page = { order: ['id'], limit: MOST_SHOWN };
  const confirmed = { userId, confirmedAt: { [Op.ne]: null } };
  const factors = await db.Factor.findAll({ where: confirmed, ...page });
  const sessions = await db.Session.findAll({
    where: { userId, ...db.Session.live(clock.date()) },
    order: [['id', 'DESC']],
    limit: MOST_SHOWN,
  });
  const identities = await db.Identity.findAll({ where: { userId }, ...page });
  return {
    ...adminUser(user),
    hasPassword: user.passwordHash !== null,
    factors: factors.map(listedFactor),
    recoveryCodesLeft: await db.RecoveryCode.count({ where: { userId } }),
    identities: identities.map(({ id, provider, subject, email, createdAt }) => ({
      id,
      provider,
      subject,
      email: email ?? null,
      createdAt,
    })),
    sessions: sessions.map((session) => listedSession(session, current)),
    apiKeys: await db.ApiKey.count({ where: { userId } }),
    loginFailures: await loginFailuresOf(ctx, userId),
  };
}
