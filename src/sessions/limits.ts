import { MINUTE_MS } from '#src/lifetimes';
import { limitClass } from '#src/platform/limits/limits';

/** Refreshes of one session. */
export const REFRESH = limitClass('refresh', [{ by: 'session', max: 30, window: MINUTE_MS }]);
