import { limitClass } from '#src/platform/limits/limit-class';

/** Failed sign-ins of an account. No route names it: see `authentication/login-throttle`. */
export const LOGIN_FAILURES = limitClass('account', (settings) => [
  {
    by: 'account',
    ...settings.limitLoginFailuresPerAccount,
    backoff: {
      ...settings.limitLoginFailuresPause,
      forget: settings.limitLoginFailuresForget,
    },
  },
]);
