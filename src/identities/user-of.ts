import { UniqueConstraintError } from 'sequelize';
import { v7 as uuid } from 'uuid';
import { ApiKey, Identity, OneTimeToken, transaction, User } from '#models/index';
import { config } from '#src/config';
import { emit } from '#src/core/events';
import { Problem } from '#src/core/problem';
import { PlainText } from '#src/core/text';
import type { Vouched } from '#src/core/vouched';
import { endSessions } from '#src/sessions/end';
import { email, identifierOf, isReserved, username, type Identifier } from '#src/users/identifiers';
import { tellIdentityLinked } from '#src/users/notices';
import { createUser } from '#src/users/register';
import { askToVerify } from '#src/users/proofs';

const ATTEMPTS = 3;

/**
 * The user whom a provider vouches for, loaded with roles: found by the provider's subject, else joined to the user who has the
 * address, else made. Of many who come for the first time at once, all get the same user.
 *
 * An address joins only if the provider has verified it. If the user here has proved it too, they are one person. If not, whoever
 * made that user may have been somebody else, waiting for the owner of the address to come: see `takeOver`.
 * Throws 409 `already_linked`, 403 `forbidden` for a stranger while SIGNUP is closed, 401 `user_disabled`.
 */
export async function userOf(vouched: Vouched): Promise<User> {
  for (let attempt = 1; ; attempt++) {
    const known = await ownerOf(vouched);
    if (known) return active(known);
    try {
      return await transaction(async () => (await join(vouched)) ?? make(vouched));
    } catch (error) {
      if (!(error instanceof UniqueConstraintError) || attempt === ATTEMPTS) throw error;
    }
  }
}

/** Whoever has this identity already, loaded with roles. */
async function ownerOf({ provider, subject }: Vouched): Promise<User | undefined> {
  const identity = await Identity.findOne({ where: { provider, subject }, include: [{ association: 'user', include: ['roles'] }] });
  return identity?.user;
}

function active(user: User): User {
  if (user.disabledAt) throw new Problem('user_disabled');
  return user;
}

async function join(vouched: Vouched): Promise<User | null> {
  const address = addressOf(vouched);
  const locked = address && (await User.findOne({ where: { emailCanonical: address.canonical }, lock: true }));
  if (!locked) return null;
  if (!vouched.emailVerified) throw new Problem('already_linked');
  const user = active((await User.findByPk(locked.id, { include: ['roles'] }))!);
  if (!user.emailVerifiedAt) await takeOver(user, vouched);
  await addIdentity(user.id, vouched);
  await tellIdentityLinked(user, vouched.provider);
  return user;
}

/**
 * The address was never proved here, and now its owner has come: the user is theirs. A stranger may have made it to wait for them,
 * so everything goes by which anybody else could get in, and what they are shown by is what the provider says. The username stays: by itself it
 * opens nothing, whoever signed up with their own address keeps it, and everybody may change theirs. A user with more rights than everybody has is not given away for an address.
 */
async function takeOver(user: User, vouched: Vouched): Promise<void> {
  if (user.isMoreThanUser) throw new Problem('already_linked');
  const userId = user.id;
  await user.update({ passwordHash: null, emailVerifiedAt: new Date(), name: nameOf(vouched) ?? null });
  await Identity.destroy({ where: { userId } });
  await ApiKey.destroy({ where: { userId } });
  await OneTimeToken.destroy({ where: { userId } });
  await endSessions({ userId }, 'taken_over');
  emit('user.taken_over', { userId, provider: vouched.provider });
}

async function make(vouched: Vouched): Promise<User> {
  if (config.SIGNUP === 'closed') throw new Problem('forbidden', { members: { required: [] } });
  const address = addressOf(vouched);
  const user = await createUser({
    username: await freeUsername(vouched.username),
    email: address,
    name: nameOf(vouched),
    emailVerifiedAt: address && vouched.emailVerified ? new Date() : null,
  });
  await addIdentity(user.id, vouched);
  if (config.EMAIL_VERIFICATION !== 'off') await askToVerify(user);
  return user;
}

/** Throws a UniqueConstraintError if somebody has it. */
export async function addIdentity(userId: string, vouched: Vouched): Promise<Identity> {
  const { provider, subject } = vouched;
  const identity = await Identity.create({ id: uuid(), userId, provider, subject, email: addressOf(vouched)?.display ?? null });
  emit('identity.linked', { userId, provider });
  return identity;
}

const nameOf = ({ name }: Vouched) => PlainText.max(100).safeParse(name).data;

/** What is no address here is none: some providers send a placeholder. */
function addressOf({ email: given }: Vouched): Identifier | undefined {
  const found = given === undefined ? undefined : email(given);
  return found && 'canonical' in found ? found : undefined;
}

async function freeUsername(given: string | undefined): Promise<Identifier | undefined> {
  const found = given === undefined ? undefined : username(given);
  if (!found || !('canonical' in found) || isReserved(found)) return undefined;
  return (await User.findOne({ attributes: ['id'], where: identifierOf(given!)! })) ? undefined : found;
}
