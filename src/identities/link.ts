import { Op, UniqueConstraintError } from 'sequelize';
import { Identity, transaction, User } from '#models/index';
import { emit } from '#src/core/events';
import { pageOf } from '#src/core/listing';
import { Problem } from '#src/core/problem';
import type { Vouched } from '#src/core/vouched';
import { addIdentity } from '#src/identities/user-of';
import { tellIdentityLinked } from '#src/users/notices';

/** Joins what a provider vouches for to a user who is signed in. Twice is once. Throws 409 `already_linked` if somebody else has it. */
export async function linkIdentity(userId: string, vouched: Vouched): Promise<Identity> {
  try {
    return (await ownIdentity(userId, vouched)) ?? (await transaction(() => linkNew(userId, vouched)));
  } catch (error) {
    if (!(error instanceof UniqueConstraintError)) throw error;
    const own = await ownIdentity(userId, vouched);
    if (own) return own;
    throw new Problem('already_linked', { cause: error });
  }
}

async function linkNew(userId: string, vouched: Vouched): Promise<Identity> {
  const user = await User.findByPk(userId, { lock: true });
  if (!user) throw new Problem('session_ended');
  const identity = await addIdentity(userId, vouched);
  await tellIdentityLinked(user, vouched.provider);
  return identity;
}

const ownIdentity = (userId: string, { provider, subject }: Vouched) => Identity.findOne({ where: { userId, provider, subject } });

interface Page {
  limit: number;
  cursor?: string | undefined;
}

/** A user's identities, oldest first, and where the next page starts. */
export async function listIdentities(userId: string, { limit, cursor }: Page) {
  const after = cursor && { id: { [Op.gt]: cursor } };
  return pageOf(await Identity.findAll({ where: { userId, ...after }, order: ['id'], limit: limit + 1 }), limit);
}

/**
 * Takes a provider from a user. `providers` are those by which somebody can sign in now. The user's row is locked: of two who take
 * the last two at once, one is refused. Throws 404 `not_found`, 409 `last_way_in`.
 */
export const unlinkIdentity = (userId: string, id: string, providers: readonly string[]): Promise<void> =>
  transaction(async () => {
    const user = await User.findByPk(userId, { attributes: ['id', 'passwordHash', 'usernameCanonical', 'emailCanonical'], lock: true });
    const identity = user && (await Identity.findOne({ where: { id, userId } }));
    if (!identity) throw new Problem('not_found');
    const others = await Identity.count({ where: { userId, id: { [Op.ne]: id }, provider: [...providers] } });
    const password = user.passwordHash !== null && (user.usernameCanonical ?? user.emailCanonical) !== null;
    if (others === 0 && !password) throw new Problem('last_way_in');
    await identity.destroy();
    emit('identity.unlinked', { userId, provider: identity.provider });
  });
