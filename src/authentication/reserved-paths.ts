/** Paths below /auth of the server's own routes. A strategy cannot have one of them. A test compares them with the routes. */
export const RESERVED_PATHS: readonly string[] = [
  '/auth/email/restore',
  '/auth/email/verify',
  '/auth/email/verify/resend',
  '/auth/exchange',
  '/auth/invitation',
  '/auth/logout',
  '/auth/mfa',
  '/auth/mfa/options',
  '/auth/password/forgot',
  '/auth/password/reset',
  '/auth/reauthenticate',
  '/auth/reauthenticate/options',
  '/auth/refresh',
  '/auth/register',
  '/auth/strategies',
];
