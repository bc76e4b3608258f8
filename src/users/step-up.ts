import { MINUTE_MS } from '#src/lifetimes';
import type { Clock } from '#src/platform/clock';
import { Problem } from '#src/platform/http/problem';
import type { Acr } from '#src/users/assurance';
import type { Principal } from '#src/users/principal';

/** What somebody must have proved for a request. */
interface Wanted {
  /** `aal2`: two factors. */
  acr?: Acr;
  /** In the last so many minutes. */
  minutes?: number | undefined;
}

/** 403 `step_up_required` that names what is wanted (RFC 9470 §3). */
export function stepUp({ acr, minutes }: Wanted): Problem {
  const maxAge = minutes === undefined ? undefined : Math.round(minutes * 60);
  const challenge = [
    'Bearer error="insufficient_user_authentication"',
    ...(acr === undefined ? [] : [`acr_values="${acr}"`]),
    ...(maxAge === undefined ? [] : [`max_age="${maxAge}"`]),
  ];
  return new Problem('step_up_required', {
    members: {
      ...(acr !== undefined && { acrValues: [acr] }),
      ...(maxAge !== undefined && { maxAge }),
    },
    headers: { 'WWW-Authenticate': challenge.join(', ') },
  });
}

/** A time in seconds that is not longer ago than so many minutes. */
const isWithin = (time: number, clock: Clock, minutes: number): boolean =>
  Math.round(time * 1000) > clock.now() - minutes * MINUTE_MS;

/**
 * True when the user proved who they are in the last so many minutes. Never true without a session: an API key proves
 * nothing anew. Nor when somebody else acts for the user.
 */
export const isFresh = ({ session, actor }: Principal, clock: Clock, minutes: number): boolean =>
  session !== null && actor === null && isWithin(session.authTime, clock, minutes);

/**
 * True when the user proved two factors, in the last so many minutes if these are given. A password that was asked again
 * since does not renew it. Never true when somebody else acts for the user.
 */
export function isAal2({ session, actor }: Principal, clock: Clock, minutes?: number): boolean {
  if (!session || actor || session.aal2Time === null) return false;
  return minutes === undefined || isWithin(session.aal2Time, clock, minutes);
}
