import type { Context } from '#src/context';
import { applyEmailChange } from '#src/email/change-email';
import { createEmailChallenge, type EmailChallenge } from '#src/email/email-challenge';
import { verifyEmailMail } from '#src/email/mails';
import { spendShortCode, spendToken, type Owner } from '#src/one-time-tokens/one-time-tokens';
import type { Identifier } from '#src/platform/email-address';
import { Problem } from '#src/platform/http/problem';
import { queueMail } from '#src/platform/mail/outbox';
import { completeSignUp, extendSignUps, findSignUps } from '#src/sign-ups/sign-ups';
import { mayMail } from '#src/user-mail/mail-limit';
import { VERIFY } from '#src/user-mail/mail-tokens';

/** The owners who have not confirmed an address. `to` gets the mail. With null, no mail is sent. */
interface Unconfirmed {
  owners: Owner[];
  to: string | null;
}

/**
 * Who has to confirm an address: a user, or everybody who signed up with it, the newest first. If a
 * user has confirmed it, no mail goes to the sign-ups, but the same statements run.
 */
async function findUnconfirmed(ctx: Context, emailCanonical: string): Promise<Unconfirmed> {
  const signUps = await findSignUps(ctx, { emailCanonical });
  const user = await ctx.db.User.findOne({ where: { emailCanonical } });
  if (user && !user.disabledAt && !user.emailVerifiedAt)
    return { owners: [{ userId: user.id }], to: user.email };
  return {
    owners: signUps.map(({ id }) => ({ signUpId: id })),
    to: user ? null : (signUps[0]?.email ?? null),
  };
}

/**
 * Mails the challenge again. For an address that nobody has to confirm the same statements run,
 * with a mail to nobody, so neither the answer nor its time tells which addresses are known.
 */
export async function resendVerification(ctx: Context, { canonical }: Identifier): Promise<void> {
  if (!(await mayMail(ctx, canonical))) return;
  await ctx.db.transaction(async () => {
    const { owners, to } = await findUnconfirmed(ctx, canonical);
    await extendSignUps(ctx, canonical);
    const challenge = await createEmailChallenge(ctx, owners[0] ?? {}, canonical);
    await queueMail(ctx, to, verifyEmailMail(challenge));
  });
}

/** The token of a link, or the code that was in the same mail. */
export type EmailVerification = { token: string } | { email: Identifier; code: string };

/**
 * Confirms an address: of a sign-up, of a user, or the new one of a user who changes it.
 * @throws {Problem} 400 `invalid_code`; 409 `email_taken`
 */
export async function verifyEmail(ctx: Context, given: EmailVerification): Promise<void> {
  const isDone =
    'token' in given
      ? await confirmByToken(ctx, given.token)
      : await confirmByCode(ctx, given.email, given.code);
  if (!isDone) throw new Problem('invalid_code');
}

async function confirmByToken(ctx: Context, token: string): Promise<boolean> {
  const isConfirmed = await retryIfTaken(() =>
    ctx.db.transaction(async () => {
      const grant = await spendToken<EmailChallenge>(ctx, VERIFY, token);
      return grant && confirm(ctx, grant);
    }),
  );
  return isConfirmed ?? applyEmailChange(ctx, token);
}

/** A wrong code is counted, so it must not be part of what a failed confirmation undoes. */
async function confirmByCode(
  ctx: Context,
  { canonical }: Identifier,
  code: string,
): Promise<boolean> {
  const { owners } = await findUnconfirmed(ctx, canonical);
  const grant = await spendShortCode<EmailChallenge>(ctx, VERIFY, owners, code);
  return grant !== null && retryIfTaken(() => confirm(ctx, grant));
}

/** If somebody takes the username of a sign-up at this moment, the second time leaves it out. */
const retryIfTaken = <T>(work: () => Promise<T>): Promise<T> =>
  work().catch((error: unknown) => {
    if (error instanceof Problem && error.code === 'username_taken') return work();
    throw error;
  });

const confirm = (
  ctx: Context,
  { userId, signUpId, data }: Owner & { data: EmailChallenge },
): Promise<boolean> =>
  signUpId ? completeSignUp(ctx, signUpId) : confirmUser(ctx, userId!, data.email);

/** Confirms only the address that the mail went to. The user may have a different one by now. */
async function confirmUser(
  { db, clock, events }: Context,
  id: string,
  emailCanonical: string,
): Promise<boolean> {
  const where = { id, emailCanonical, emailVerifiedAt: null, disabledAt: null };
  const [rows] = await db.User.update({ emailVerifiedAt: clock.date() }, { where });
  if (rows === 1) events.emit('user.email_verified', { userId: id });
  return rows === 1;
}
