import pino from 'pino';
import { config } from '#src/config';
import { context } from '#src/core/context';

/**
 * One JSON object a line on standard output, times in UTC. Callers name each field they log:
 * nothing is logged whole and redacted afterwards, so a new field cannot leak by being forgotten.
 */
export const log = pino({
  level: config.LOG_LEVEL,
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) },
  mixin: () => ({ ...context.getStore() }), // pino adds to what it is given
});
