import { limitClass, per } from '#src/platform/limits/limit-class';

/** Tokens and codes that came by mail or by a redirect. */
export const CODE = limitClass(
  'code',
  (settings) => [
    ...per('network', settings.limitCodesPerNetwork),
    ...per('site', settings.limitCodesPerSite),
  ],
  { failuresOnly: true },
);
