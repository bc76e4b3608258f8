import { Op } from 'sequelize';
import { v7 as uuid } from 'uuid';
import { SignUp, transaction, User } from '#models/index';
import { isVerificationRequired } from '#src/core/confirmation';
import { hashPassword, passwordMatches } from '#src/core/passwords';
import { Problem } from '#src/core/problem';
import { purge } from '#src/core/purge';
import { mayMail } from '#src/mail/limit';
import { queueMail } from '#src/mail/queue';
import { linkTo } from '#src/mail/template';
import { namesAsColumns, type identifierOf } from '#src/users/identifiers';
import { requireStrong } from '#src/users/password-policy';
import { LIFE, prepareProof } from '#src/users/proofs';
import { createUser } from '#src/users/register';
import type { NewUser } from '#src/users/schemas';
import { refuseTaken } from '#src/users/taken';

/**
 * Keeps somebody apart who wants to be a user, until they have confirmed their address. Nobody learns whether the address was known,
 * here or by signing in: the same is kept, and its owner, if there is one, gets another mail. Throws `weak_password`,
 * `username_taken`, `busy`, 400 `invalid_request` without an address.
 */
export async function signUp({ username, email, password, name }: NewUser): Promise<void> {
  if (!email)
    throw new Problem('invalid_request', {
      members: { errors: [{ pointer: '/email', code: 'required', message: 'Give an e-mail address' }] },
    });
  await requireStrong(password, { username: username?.canonical, email: email.canonical, name });
  if (username && (await isTaken(username.canonical))) throw new Problem('username_taken');
  const passwordHash = await hashPassword(password);
  if (!(await mayMail(email.canonical))) return;
  await transaction(async () => {
    const owner = await User.findOne({ where: { emailCanonical: email.canonical } });
    const names = { ...namesAsColumns({ username }), email: email.display, emailCanonical: email.canonical };
    const { id } = await SignUp.create({
      id: uuid(),
      ...names,
      name: name ?? null,
      passwordHash,
      expiresAt: inADay(),
    });
    const proof = await prepareProof({ signUpId: id }, email.canonical);
    if (owner) await queueMail(owner.disabledAt ? null : owner.email, 'already-registered', { link: linkTo('/forgot-password') });
    else await queueMail(email.display, 'verify-email', proof);
  });
}

/** Usernames are no secret. */
const isTaken = async (usernameCanonical: string) => (await User.count({ where: { usernameCanonical } })) > 0;

const inADay = () => new Date(Date.now() + LIFE * 1000);
type Name = NonNullable<ReturnType<typeof identifierOf>>;

/** Whoever signed up with this name and has not confirmed their address, the last one first. */
export const signUpsWith = (where: Name, limit?: number): Promise<SignUp[]> =>
  SignUp.findAll({ where: { ...where, expiresAt: { [Op.gt]: new Date() } }, order: [['id', 'DESC']], ...(limit && { limit }) });

/**
 * Tells whoever signed up, and signs in with what they chose, that their address has to be confirmed. It costs one bcrypt in any case,
 * and a known address looks like an unknown one. Throws 403 `email_unverified`.
 */
export async function refuseUnconfirmed(where: Name | null, password: string): Promise<null> {
  if (!isVerificationRequired()) return null;
  const [last] = where ? await signUpsWith(where, 1) : [];
  if (await passwordMatches(password, last?.passwordHash)) throw new Problem('email_unverified');
  return null;
}

/**
 * Makes a user of somebody who has confirmed their address; whoever else signed up with it is forgotten. A username that has been
 * taken meanwhile is left out. False if there is no such sign-up any more. Throws 409 `email_taken`.
 */
export const admit = (id: string): Promise<boolean> =>
  refuseTaken(() =>
    transaction(async () => {
      const found = await SignUp.findByPk(id);
      if (!found || (await forgetSignUps(found.emailCanonical)) === 0) return false;
      const { username, usernameCanonical, email, emailCanonical, passwordHash, name } = found;
      const free = username !== null && usernameCanonical !== null && !(await isTaken(usernameCanonical));
      await createUser({
        ...(free && { username: { display: username, canonical: usernameCanonical } }),
        email: { display: email, canonical: emailCanonical },
        ...(name !== null && { name }),
        passwordHash,
        emailVerifiedAt: new Date(),
      });
      return true;
    }),
  );

/** Whoever signed up with this address waits as long as a mail that goes out now is good, whether or not a user has it. */
export const waitLonger = (emailCanonical: string): Promise<unknown> =>
  SignUp.update({ expiresAt: inADay() }, { where: { emailCanonical, expiresAt: { [Op.gt]: new Date() } } });

/** Whoever signed up with this address is forgotten. */
export const forgetSignUps = (emailCanonical: string): Promise<number> => SignUp.destroy({ where: { emailCanonical } });

/** Forgets who did not confirm in time. */
export const purgeSignUps = (): Promise<void> => purge((limit) => SignUp.destroy({ where: { expiresAt: { [Op.lt]: new Date() } }, limit }));
