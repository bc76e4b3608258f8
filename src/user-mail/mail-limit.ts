import type { Context } from '#src/context';
import { HOUR_MS } from '#src/lifetimes';
import { limitClass } from '#src/platform/limits/limits';

/** Mail to one address. It is for no route: a 429 would tell who is known here. */
export const MAIL = limitClass('mail', [{ by: 'account', max: 5, window: HOUR_MS }]);

/**
 * Whether an address, in its canonical form, may get another mail that anybody can ask for. If not,
 * send nothing and answer the same: a difference would tell who is known here.
 */
export const mayMail = async (
  { settings, limits }: Context,
  canonicalAddress: string,
): Promise<boolean> =>
  settings.limits === 'off' || (await limits.hit(MAIL, () => canonicalAddress)) === undefined;
