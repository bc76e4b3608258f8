import type { User } from '#models/index';
import type { Context } from '#src/context';

type Settings = Pick<Context, 'settings'>;

/** True if people who sign up must confirm their address before they become users. */
export const isVerificationRequired = ({ settings }: Settings): boolean =>
  settings.emailVerification === 'required';

/** True for a user who has an unconfirmed address and may not sign in with it, by any strategy. */
export const mustConfirm = (
  ctx: Settings,
  { email, emailVerifiedAt }: Pick<User, 'email' | 'emailVerifiedAt'>,
): boolean => isVerificationRequired(ctx) && email !== null && !emailVerifiedAt;
