import { limitClass, per } from '#src/platform/limits/limit-class';

/** Attempts to sign in. */
export const SIGN_IN = limitClass('sign-in', (settings) => [
  ...per('network', settings.limitSignInsPerNetwork),
  ...per('site', settings.limitSignInsPerSite),
]);
