import type { Context } from '#src/context';
import { Problem } from '#src/platform/http/problem';
import type { Principal } from '#src/users/principal';
import { stepUp } from '#src/users/step-up';

const ENROLLING = Symbol('open to who must enrol a factor');

/** Options of `passport.authenticate` for a route that is open to somebody who must enrol a factor first. */
export const openToEnrol: object = { session: false, [ENROLLING]: true };

const isOpenToEnrol = (options: unknown): boolean =>
  typeof options === 'object' && options !== null && ENROLLING in options;

/**
 * Somebody with one of MFA_REQUIRED_ROLES may do nothing else before they have a second factor, and before they have proved
 * it in this session: one that began before the factor was enrolled may be that of a thief. A credential that may not use
 * such a role, such as an API key for `user` alone, is as good as before. So is a session of two factors that a provider
 * has seen, and so is an administrator who acts for the user: they have proved two factors. It goes by what the request has read: a role that was granted, or a factor that was removed, binds now.
 * @throws {Problem} 403 `mfa_enrollment_required`, `step_up_required`
 */
export function requireEnrolled(
  { settings: { mfaRequiredRoles } }: Pick<Context, 'settings'>,
  { roles, factors, session, actor }: Principal,
  options: unknown,
): void {
  if (mfaRequiredRoles.length === 0 || session?.acr === 'aal2' || isOpenToEnrol(options)) return;
  if (actor) return;
  if (!roles.some((role) => mfaRequiredRoles.includes(role))) return;
  if (factors === 0) throw new Problem('mfa_enrollment_required');
  if (session) throw stepUp({ acr: 'aal2' });
}
