import { z } from 'zod';

/** Purposes of the one-time tokens that are mailed. */
export const VERIFY = 'verify e-mail';
export const CHANGE = 'change e-mail';
export const RESET = 'reset password';
export const RESTORE = 'restore e-mail';
export const END_SESSION = 'end session';

/** A mailed token as an app sends it. */
export const MailToken = z
  .string()
  .min(1)
  .max(128)
  .meta({ description: 'From the link in the mail.' });
/** A mailed token as a form sends it. */
export const LinkToken = z.string().regex(/^[\w-]{1,128}$/);
