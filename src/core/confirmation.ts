import type { User } from '#models/index';
import { config } from '#src/config';

/** Whether whoever signs up has to confirm their address first. */
export const isVerificationRequired = (): boolean => config.EMAIL_VERIFICATION === 'required';

/** True for a user with an address who may not come in before they have confirmed it, whichever way they come. */
export const mustConfirm = ({ email, emailVerifiedAt }: Pick<User, 'email' | 'emailVerifiedAt'>): boolean =>
  isVerificationRequired() && email !== null && !emailVerifiedAt;
