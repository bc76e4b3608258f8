import type { Context } from '#src/context';
import { limitClass, per, hitsOf } from '#src/platform/limits/limit-class';

/** Mail to one address. It is for no route: a 429 would tell who is known here. */
export const MAIL = limitClass('mail', (settings) => per('account', settings.limitMailsPerAddress));

/**
 * Whether an address, in its canonical form, may get another mail that anybody can ask for. If not,
 * send nothing and answer the same: a difference would tell who is known here.
 */
export const mayMail = async (
  { settings, limits }: Context,
  canonicalAddress: string,
): Promise<boolean> =>
  settings.limits === 'off' ||
  (await limits.hit(hitsOf(settings, MAIL, () => canonicalAddress))) === undefined;
