import { voidTokens } from '#src/core/one-time-tokens';

/** What the links in mails are for. */
export const VERIFY = 'verify e-mail';
export const CHANGE = 'change e-mail';
export const RESET = 'reset password';
export const RESTORE = 'restore e-mail';

/** A new password or address makes void what was mailed before, apart from the way back to an old address. */
export const voidMails = (userId: string): Promise<number> => voidTokens([VERIFY, CHANGE, RESET], userId);
