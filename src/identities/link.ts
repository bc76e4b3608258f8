import { Op, UniqueConstraintError } from 'sequelize';
import { Identity, transaction, User } from '#models/index';
import { emit } from '#src/core/events';
import { Problem } from '#src/core/problem';
import type { Vouched } from '#src/core/vouched';
import { addIdentity } from '#src/identities/user-of';
import { stillSignedIn } from '#src/sessions/still-signed-in';
import { tellIdentityLinked } from '#src/users/notices';

/**
 * Joins what a provider vouches for to a user who is signed in. Twice is once. Throws 401 `session_ended`, 409 `already_linked` if
 * somebody else has it.
 */
export async function linkIdentity(user: User, vouched: Vouched): Promise<Identity> {
  try {
    return await transaction(async () => {
      const owner = await stillSignedIn(user);
      return (await ownIdentity(owner, vouched)) ?? (await linkNew(owner, vouched));
    });
  } catch (error) {
    if (!(error instanceof UniqueConstraintError)) throw error;
    throw new Problem('already_linked', { cause: error });
  }
}

async function linkNew(owner: User, vouched: Vouched): Promise<Identity> {
  const identity = await addIdentity(owner.id, vouched);
  await tellIdentityLinked(owner, vouched.provider);
  return identity;
}

const ownIdentity = ({ id: userId }: User, { provider, subject }: Vouched) => Identity.findOne({ where: { userId, provider, subject } });

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
