import { limitClass, per } from '#src/platform/limits/limit-class';

/** Refreshes of one session. */
export const REFRESH = limitClass('refresh', (settings) =>
  per('session', settings.limitRefreshesPerSession),
);

/** Mails to a user about sign-ins on new devices. No route names it. */
export const NEW_SIGN_IN_MAIL = limitClass('new-sign-in-mail', (settings) =>
  per('account', settings.limitNewSignInMailsPerUser),
);
