import { transaction, User } from '#models/index';
import { emit } from '#src/core/events';
import { replaceToken, spendShortCode, spendToken, type Owner } from '#src/core/one-time-tokens';
import { Problem } from '#src/core/problem';
import { mayMail } from '#src/mail/limit';
import { queueMail } from '#src/mail/queue';
import type { Identifier } from '#src/users/identifiers';
import { CHANGE, VERIFY, voidMails } from '#src/users/mail-tokens';
import { LIFE, prepareProof, type Proof } from '#src/users/proofs';
import { admit, signUpsWith, waitLonger } from '#src/users/sign-up';
import { refuseTaken } from '#src/users/taken';

interface Move {
  from: string | null;
  to: Identifier;
}

/**
 * Who has an address to confirm: a user, or whoever signed up with it, the last one first. A user who has proved it hides the latter: no mail goes out for them (`to`
 * is null), but the same statements run.
 */
async function whoWaits(emailCanonical: string): Promise<{ owners: Owner[]; to: string | null }> {
  const signUps = await signUpsWith({ emailCanonical });
  const user = await User.findOne({ where: { emailCanonical } });
  if (user && !user.disabledAt && !user.emailVerifiedAt) return { owners: [{ userId: user.id }], to: user.email };
  return { owners: signUps.map(({ id }) => ({ signUpId: id })), to: user ? null : (signUps[0]?.email ?? null) };
}

/** Sends the mail again, if somebody waits for it. Nobody is told whether: the same statements run, and the mail goes to nobody. */
export async function resendVerification({ canonical }: Identifier): Promise<void> {
  if (!(await mayMail(canonical))) return;
  await transaction(async () => {
    const { owners, to } = await whoWaits(canonical);
    await waitLonger(canonical);
    await queueMail(to, 'verify-email', await prepareProof(owners[0] ?? {}, canonical));
  });
}

/**
 * Confirms an address by the token of a link, or by the code that came with it: one that somebody signed up with, or one that is to
 * take the place of another. Throws 400 `invalid_code`, 409 `email_taken`.
 */
export async function verifyEmail(proof: { token: string } | { email: Identifier; code: string }): Promise<void> {
  const done =
    'token' in proof
      ? ((await unlessTaken(() => byLink(proof.token))) ?? (await move(proof.token)))
      : await byCode(proof.email, proof.code);
  if (!done) throw new Problem('invalid_code');
}

/** A username that somebody else takes at this very moment is taken the second time, and left out. */
const unlessTaken = <T>(work: () => Promise<T>): Promise<T> =>
  work().catch((error: unknown) => {
    if (error instanceof Problem && error.code === 'username_taken') return work();
    throw error;
  });

const byLink = (token: string): Promise<boolean | null> =>
  transaction(async () => {
    const grant = await spendToken<Proof>(VERIFY, token);
    return grant && confirm(grant);
  });

/** A wrong guess counts, so it is no part of what is undone when the confirmation fails. */
async function byCode({ canonical }: Identifier, code: string): Promise<boolean> {
  const { owners } = await whoWaits(canonical);
  const grant = await spendShortCode<Proof>(VERIFY, owners, code);
  return grant !== null && unlessTaken(() => confirm(grant));
}

const confirm = ({ userId, signUpId, data }: Owner & { data: Proof }): Promise<boolean> =>
  signUpId ? admit(signUpId) : confirmOf(userId!, data.email);

/** Only the address that the mail went to: another one may have taken its place. */
async function confirmOf(id: string, emailCanonical: string): Promise<boolean> {
  const where = { id, emailCanonical, emailVerifiedAt: null, disabledAt: null };
  const [rows] = await User.update({ emailVerifiedAt: new Date() }, { where });
  if (rows === 1) emit('user.email_verified', { userId: id });
  return rows === 1;
}

/** Prepares an address to take the place of another, and answers the token that its owner is to be mailed. What was prepared before is void. */
export const prepareMove = (userId: string, data: Move): Promise<string> => replaceToken(CHANGE, LIFE, { userId, data });

const move = (token: string): Promise<boolean> =>
  refuseTaken(() =>
    transaction(async () => {
      const grant = await spendToken<Move>(CHANGE, token);
      if (!grant) return false;
      const { userId, data } = grant;
      const moved = { email: data.to.display, emailCanonical: data.to.canonical, emailVerifiedAt: new Date() };
      const [rows] = await User.update(moved, { where: { id: userId!, emailCanonical: data.from, disabledAt: null } });
      if (rows === 0) return false;
      await voidMails(userId!);
      emit('user.email_changed', { userId: userId! });
      return true;
    }),
  );
