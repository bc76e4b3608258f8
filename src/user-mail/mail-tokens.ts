import { z } from 'zod';
import type { Context } from '#src/context';
import { voidTokens } from '#src/one-time-tokens/one-time-tokens';

/** Purposes of the one-time tokens that are mailed. */
export const VERIFY = 'verify e-mail';
export const CHANGE = 'change e-mail';
export const RESET = 'reset password';
export const RESTORE = 'restore e-mail';

/** A mailed token as an app sends it. */
export const MailToken = z
  .string()
  .min(1)
  .max(128)
  .meta({ description: 'From the link in the mail.' });
/** A mailed token as a form sends it. */
export const LinkToken = z.string().regex(/^[\w-]{1,128}$/);

/**
 * Voids the links and codes that were mailed to a user: a password or an address has changed. The
 * link that undoes a change of address stays valid.
 */
export const voidMailTokens = (ctx: Context, userId: string): Promise<number> =>
  voidTokens(ctx, [VERIFY, CHANGE, RESET], userId);
