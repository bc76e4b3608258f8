import { HOUR_MS, MINUTE_MS } from '#src/lifetimes';
import { limitClass } from '#src/platform/limits/limits';

/** Tokens and codes that came by mail or by a redirect. */
export const CODE = limitClass('code', [
  { by: 'network', max: 30, window: MINUTE_MS },
  { by: 'network', max: 300, window: HOUR_MS },
]);
