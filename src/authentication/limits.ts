import { HOUR_MS, MINUTE_MS } from '#src/lifetimes';
import { limitClass } from '#src/platform/limits/limits';

/** Attempts to sign in. */
export const SIGN_IN = limitClass('sign-in', [
  { by: 'network', max: 30, window: MINUTE_MS },
  { by: 'network', max: 300, window: HOUR_MS },
  { by: 'everybody', max: 3000, window: MINUTE_MS },
]);

/** Failed sign-ins of an account. No route names it: see `authentication/login-throttle`. */
export const LOGIN_FAILURES = limitClass('account', [
  {
    by: 'account',
    max: 10,
    window: 15 * MINUTE_MS,
    backoff: { from: 1000, to: 15 * MINUTE_MS, forget: 12 * HOUR_MS },
  },
]);
