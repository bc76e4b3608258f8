import { config } from '#src/config';
import { hit } from '#src/core/limits';

/**
 * Whether an address, in its canonical form, may get another mail that anybody can ask for. If not, send nothing, and tell nobody:
 * the answer would say who is known here.
 */
export const mayMail = async (address: string): Promise<boolean> =>
  config.LIMITS === 'off' || (await hit('mail', () => address)) === undefined;
