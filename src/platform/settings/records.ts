import { z } from 'zod';
import { whole } from '#src/platform/settings/types';

/** What is kept of what happened. */
export const recordSettings = {
  AUDIT_RETENTION: whole(0, 36_500)
    .default(365)
    .describe('Days for which the audit trail is kept. 0: for ever.'),
  LOG_LEVEL: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('Least severe lines to log: debug, info, warn, error, or silent for none.'),
};
