import type { User } from '#models/index';
import type { Context } from '#src/context';
import { applyEmailChange } from '#src/email/change-email';
import { createEmailChallenge, type EmailChallenge } from '#src/email/email-challenge';
import { verifyEmailMail } from '#src/email/mails';
import {
  readShortCode,
  readToken,
  spendGrant,
  type Grant,
  type Owner,
} from '#src/one-time-tokens/one-time-tokens';
import { requireStrong } from '#src/passwords/password-policy';
import type { Identifier } from '#src/platform/email-address';
import { Problem } from '#src/platform/http/problem';
import { queueMail } from '#src/platform/mail/outbox';
import type { Onward } from '#src/platform/mail/template';
import { completeSignUp, extendSignUps, findSignUps } from '#src/sign-ups/sign-ups';
import { mayMail } from '#src/user-mail/mail-limit';
import { VERIFY } from '#src/user-mail/mail-tokens';

/** The owners who have not confirmed an address. `to` gets the mail. With null, no mail is sent. */
interface Unconfirmed {
  owners: Owner[];
  to: string | null;
  /** Whom the address belongs to, if it is no sign-up. */
  user?: User;
}

/**
 * Who has to confirm an address: a user, or everybody who signed up with it, the newest first. If a
 * user has confirmed it, no mail goes to the sign-ups, but the same statements run.
 */
async function findUnconfirmed(ctx: Context, emailCanonical: string): Promise<Unconfirmed> {
  const signUps = await findSignUps(ctx, { emailCanonical });
  const user = await ctx.db.User.findOne({ where: { emailCanonical } });
  if (user && !user.disabledAt && !user.emailVerifiedAt)
    return { owners: [{ userId: user.id }], to: user.email, user };
  return {
    owners: signUps.map(({ id }) => ({ signUpId: id })),
    to: user ? null : (signUps[0]?.email ?? null),
  };
}

/**
 * Mails the challenge again. For an address that nobody has to confirm the same statements run,
 * with a mail to nobody, so neither the answer nor its time tells which addresses are known.
 */
export async function resendVerification(
  ctx: Context,
  { canonical }: Identifier,
  onward?: Onward,
): Promise<void> {
  if (!(await mayMail(ctx, canonical))) return;
  await ctx.db.transaction(async () => {
    const { owners, to, user } = await findUnconfirmed(ctx, canonical);
    await extendSignUps(ctx, canonical);
    const challenge = await createEmailChallenge(ctx, owners[0] ?? {}, canonical, onward);
    await queueMail(ctx, to, verifyEmailMail(challenge), user);
  });
}

/** The token of a link, or the code that was in the same mail. A sign-up needs a password, too. */
export type EmailVerification = ({ token: string } | { email: Identifier; code: string }) & {
  password?: string | undefined;
};

/**
 * Confirms an address: of a sign-up, of a user, or the new one of a user who changes it. Anybody can
 * sign up with an address, so whoever confirms a sign-up gives its password: the one that was
 * chosen, or a new one. Otherwise the owner of the address would let in a stranger, who knows the
 * chosen one. For users the password changes nothing.
 * @throws {Problem} 400 `invalid_code`; 400 `invalid_request` for a sign-up without a password, 422
 *   `weak_password`, 409 `email_taken`, 503 `busy`: these spend neither token nor code
 */
export async function verifyEmail(ctx: Context, given: EmailVerification): Promise<void> {
  const grant = await ('token' in given
    ? readToken<EmailChallenge>(ctx, VERIFY, given.token)
    : readByCode(ctx, given.email, given.code));
  const isDone = grant
    ? await confirm(ctx, grant, given.password)
    : 'token' in given && (await applyEmailChange(ctx, given.token));
  if (!isDone) throw new Problem('invalid_code');
}

/** The address that the link of a challenge was mailed to, in its canonical form. Undefined: the link is not good. */
export const challengedAddress = async (ctx: Context, token: string): Promise<string | undefined> =>
  (await readToken<EmailChallenge>(ctx, VERIFY, token))?.data.email;

async function readByCode(ctx: Context, { canonical }: Identifier, code: string) {
  const { owners } = await findUnconfirmed(ctx, canonical);
  return readShortCode<EmailChallenge>(ctx, VERIFY, owners, code);
}

async function confirm(
  ctx: Context,
  grant: Grant<EmailChallenge>,
  password: string | undefined,
): Promise<boolean> {
  const { userId, signUpId, data } = grant;
  const finish = signUpId
    ? await withPassword(ctx, signUpId, password)
    : () => confirmUser(ctx, userId!, data.email);
  return retryIfTaken(() =>
    ctx.db.transaction(async () => (await spendGrant(ctx, grant)) && (await finish())),
  );
}

/** Hashes before the transaction: that is slow, and locks must be short. */
async function withPassword(ctx: Context, signUpId: string, password: string | undefined) {
  const signUp = await ctx.db.SignUp.findByPk(signUpId);
  if (!signUp) throw new Problem('invalid_code');
  if (password === undefined) throw passwordMissing();
  await requireStrong(ctx, password, signUp);
  const passwordHash = await ctx.passwords.hash(password);
  return () => completeSignUp(ctx, signUpId, passwordHash);
}

const passwordMissing = () => {
  const message = 'Give the password that you chose when you signed up, or a new one';
  const error = { pointer: '/password', code: 'required', message };
  return new Problem('invalid_request', { members: { errors: [error] } });
};

/** If somebody takes the username of a sign-up at this moment, the second time leaves it out. */
const retryIfTaken = <T>(work: () => Promise<T>): Promise<T> =>
  work().catch((error: unknown) => {
    if (error instanceof Problem && error.code === 'username_taken') return work();
    throw error;
  });

/** Confirms only this address: the user may have a different one by now. False if there is nothing to confirm. */
export const confirmUser = (
  { db, clock, events }: Context,
  id: string,
  emailCanonical: string,
): Promise<boolean> =>
  db.transaction(async () => {
    const where = { id, emailCanonical, emailVerifiedAt: null, disabledAt: null };
    const [rows] = await db.User.update({ emailVerifiedAt: clock.date() }, { where });
    if (rows === 1) events.emit('user.email_verified', { userId: id });
    return rows === 1;
  });
