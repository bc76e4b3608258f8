import { limitClass, per } from '#src/platform/limits/limit-class';

/** Exports of all that is known of a user, by themselves: it reads much. */
export const EXPORT = limitClass('export', (settings) =>
  per('session', settings.limitExportsPerSession),
);
