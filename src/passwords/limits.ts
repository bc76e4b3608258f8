import type { Context } from '#src/context';
import { HOUR_MS, MINUTE_MS } from '#src/lifetimes';
import { limit } from '#src/platform/http/rate-limit';
import { limitClass } from '#src/platform/limits/limits';

/** Guesses at their own password by a signed-in user. */
export const PASSWORD_GUESS = limitClass('password', [
  { by: 'user', max: 10, window: 15 * MINUTE_MS },
]);

/** Requests for a mail. */
export const FORGOT = limitClass('forgot', [{ by: 'network', max: 20, window: HOUR_MS }]);

/** A stolen access token must not be enough to find out the password. */
export const limitPasswordGuess = (ctx: Context) =>
  limit(ctx, PASSWORD_GUESS, ({ user }) => user?.id);
