import { limitClass, per } from '#src/platform/limits/limit-class';

/** Attempts to sign in. */
export const SIGN_IN = limitClass('sign-in', (settings) => [
  ...per('network', settings.limitSignInsPerNetwork),
  ...per('site', settings.limitSignInsPerSite),
]);

/** Wrong secrets of services. Only failures are counted. */
export const SERVICE_FAILURES = limitClass('service', (settings) => [
  ...per('network', settings.limitSignInsPerNetwork),
  ...per('site', settings.limitSignInsPerSite),
]);
