import { limitClass, per } from '#src/platform/limits/limit-class';

/** Refreshes of one session. */
export const REFRESH = limitClass('refresh', (settings) =>
  per('session', settings.limitRefreshesPerSession),
);
