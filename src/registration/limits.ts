import { HOUR_MS } from '#src/lifetimes';
import { limitClass } from '#src/platform/limits/limits';

export const SIGN_UP = limitClass('sign-up', [
  { by: 'network', max: 10, window: HOUR_MS },
  { by: 'everybody', max: 5000, window: HOUR_MS },
]);
