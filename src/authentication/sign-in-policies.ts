import { requireSecondFactor } from '#src/authentication/second-factor';
import type { Context } from '#src/context';
import { mustConfirm } from '#src/email/confirmation';
import { Problem } from '#src/platform/http/problem';
import { capSessions, type LockedUser } from '#src/sessions/start-session';
import type { Device } from '#src/sessions/device';
import type { SessionProof } from '#src/sessions/start-session';

/** How somebody proved who they are. `strategy`: its name. */
export interface SignInMethod extends Omit<SessionProof, 'amr'> {
  /** RFC 8176. Default: what the strategy declares. */
  amr?: readonly string[];
  /** Lifetime of the access token in seconds, if it is not ACCESS_TOKEN_TTL. */
  accessTokenTtl?: number;
  /** Which app asked. A second factor must be answered for the same one. */
  app?: string;
  /** The client knows no second step. Whoever needs one is refused. */
  cannotAsk?: true;
}

export interface SignInAttempt {
  user: LockedUser;
  roles: readonly string[];
  device: Device;
  /** With `amr`, whoever declared it. */
  method: SignInMethod & SessionProof;
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

/**
 * A user may have so many sessions. The oldest makes room. It comes last: nobody loses one to a sign-in that is refused.
 * `afresh`: the sessions are read again, because another policy may have ended some.
 */
const limitSessions =
  (afresh: boolean): SignInPolicy =>
  (ctx, { user }) =>
    capSessions(ctx, user, { afresh });

/** Every policy, in the order in which they are asked. `own`: those of the app that embeds the server. */
export const signInPolicies = (own: readonly SignInPolicy[]): readonly SignInPolicy[] => [
  refuseDisabled,
  refuseUnconfirmed,
  requireSecondFactor,
  ...own,
  limitSessions(own.length > 0),
];
