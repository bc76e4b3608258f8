import type { Context } from '#src/context';
import { limit } from '#src/platform/http/rate-limit';
import { limitClass, per } from '#src/platform/limits/limit-class';
import { signedInAs } from '#src/users/principal';

/** Guesses at their own password by a signed-in user. */
export const PASSWORD_GUESS = limitClass('password', (settings) =>
  per('session', settings.limitPasswordGuessesPerSession),
);

/** Requests for a mail. */
export const FORGOT = limitClass('forgot', (settings) => [
  ...per('network', settings.limitMailRequestsPerNetwork),
  ...per('site', settings.limitMailRequestsPerSite),
]);

/**
 * A stolen access token must not be enough to find out the password. Its session alone is counted: a thief gets no other
 * session without the password, and the owner, who signs in anew, is not kept from changing it.
 */
export const limitPasswordGuess = (ctx: Context) => limit(ctx, PASSWORD_GUESS, signedInAs);
