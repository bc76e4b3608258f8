import { limitClass, per } from '#src/platform/limits/limit-class';

export const SIGN_UP = limitClass('sign-up', (settings) => [
  ...per('network', settings.limitSignUpsPerNetwork),
  ...per('site', settings.limitSignUpsPerSite),
]);
