import type { User } from '#models/index';
import type { Context } from '#src/context';
import { mustConfirm } from '#src/email/confirmation';
import { Problem } from '#src/platform/http/problem';
import { capSessions } from '#src/sessions/start-session';
import type { Device } from '#src/sessions/device';

/** How somebody proved who they are. */
export interface SignInMethod {
  /** The name of the strategy. */
  strategy: string;
  /** Lifetime of the access token in seconds, if it is not ACCESS_TOKEN_TTL. */
  accessTokenTtl?: number;
}

export interface SignInAttempt {
  /** The user as they are now. Their row is locked. */
  user: Pick<User, 'id' | 'email' | 'emailVerifiedAt' | 'disabledAt'>;
  roles: readonly string[];
  device: Device;
  method: SignInMethod;
}

/** Makes the Problem that says what is missing. Called after the transaction was undone, so what it writes lasts. */
export type Challenge = () => Problem | Promise<Problem>;

/**
 * A condition for a sign-in. It throws a Problem to refuse, answers a Challenge to ask for more, or nothing to agree. It
 * runs in the transaction of the sign-in. What it writes is undone when a later policy refuses or asks for more.
 */
export type SignInPolicy = (
  ctx: Context,
  attempt: SignInAttempt,
) => Challenge | void | Promise<Challenge | void>;

const refuseDisabled: SignInPolicy = (_ctx, { user }) => {
  if (user.disabledAt) throw new Problem('invalid_credentials');
};

const refuseUnconfirmed: SignInPolicy = (ctx, { user }) => {
  if (mustConfirm(ctx, user)) throw new Problem('email_unverified');
};

/** A user may have so many sessions. The oldest makes room. It comes last: nobody loses one to a sign-in that is refused. */
const limitSessions: SignInPolicy = (ctx, { user }) => capSessions(ctx, user.id);

/** Every policy, in the order in which they are asked. `own`: those of the app that embeds the server. */
export const signInPolicies = (own: readonly SignInPolicy[]): readonly SignInPolicy[] => [
  refuseDisabled,
  refuseUnconfirmed,
  ...own,
  limitSessions,
];
