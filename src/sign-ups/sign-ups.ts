import { Op } from 'sequelize';
import type { SignUp } from '#models/index';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import type { Clock } from '#src/platform/clock';
import { purge } from '#src/platform/database/purge';
import { createUser } from '#src/users/create-user';
import { isUsernameTaken } from '#src/users/find';
import type { identifierOf } from '#src/users/identifiers';
import { mapUniqueViolation } from '#src/users/map-unique-violation';

type CanonicalName = NonNullable<ReturnType<typeof identifierOf>>;

/** A sign-up lives as long as the mail that asks to confirm its address. */
export const signUpExpiry = (clock: Clock): Date =>
  clock.date(lifetimes.emailChallengeSeconds * 1000);

/** Sign-ups with this name that wait for the confirmation of their address, the newest first. */
export const findSignUps = (
  { db, clock }: Context,
  where: CanonicalName,
  limit?: number,
): Promise<SignUp[]> =>
  db.SignUp.findAll({
    where: { ...where, expiresAt: { [Op.gt]: clock.date() } },
    order: [['id', 'DESC']],
    ...(limit && { limit }),
  });

/**
 * Makes a user of a sign-up whose address is confirmed, with the password that was given then, and
 * deletes all others with that address. A username that was taken meanwhile is left out. False if the sign-up does not exist any more.
 * @throws {Problem} 409 `email_taken`; `username_taken` if somebody takes it at this moment
 */
export const completeSignUp = (ctx: Context, id: string, passwordHash: string): Promise<boolean> =>
  mapUniqueViolation(() =>
    ctx.db.transaction(async () => {
      const found = await ctx.db.SignUp.findByPk(id);
      if (!found || (await forgetSignUps(ctx, found.emailCanonical)) === 0) return false;
      const { username, usernameCanonical, email, emailCanonical, name } = found;
      const isFree =
        username !== null &&
        usernameCanonical !== null &&
        !(await isUsernameTaken(ctx, usernameCanonical));
      await createUser(ctx, {
        ...(isFree && { username: { display: username, canonical: usernameCanonical } }),
        email: { display: email, canonical: emailCanonical },
        name,
        passwordHash,
        emailVerifiedAt: ctx.clock.date(),
      });
      return true;
    }),
  );

/**
 * Lets all sign-ups with this address wait as long as a mail that is sent now. Callers do this
 * whether or not a user has the address, so that both take the same statements.
 */
export const extendSignUps = async (
  { db, clock }: Context,
  emailCanonical: string,
): Promise<void> => {
  const where = { emailCanonical, expiresAt: { [Op.gt]: clock.date() } };
  await db.SignUp.update({ expiresAt: signUpExpiry(clock) }, { where });
};

/** Deletes all sign-ups with this address, and answers their number. */
export const forgetSignUps = ({ db }: Context, emailCanonical: string): Promise<number> =>
  db.SignUp.destroy({ where: { emailCanonical } });

/** Deletes those who did not confirm their address in time. */
export async function purgeSignUps({ db, clock }: Context, stopped?: AbortSignal): Promise<void> {
  const where = { expiresAt: { [Op.lt]: clock.date() } };
  await purge((limit) => db.SignUp.destroy({ where, limit }), stopped);
}
