import pino from 'pino';
import { config } from '#src/config';
import { context } from '#src/core/context';

// The lines of one turn of the event loop leave together at its end, in one write: no line waits for another, and none is lost on exit.
const output = pino.destination({ sync: true, minLength: 8192 });
const flush = () => output.flushSync();
process.on('exit', flush);
let waiting = false;
const stream = {
  write(line: string): void {
    output.write(line);
    if (waiting) return;
    waiting = true;
    setImmediate(() => {
      waiting = false;
      output.flush(); // unlike flushSync it does not throw when the reader has gone
    });
  },
  /** Pino calls it after a line of level `fatal`. */
  flushSync: flush,
};

/**
 * One JSON object a line on standard output, times in UTC. Callers name each field they log:
 * nothing is logged whole and redacted afterwards, so a new field cannot leak by being forgotten.
 */
export const log = pino(
  {
    level: config.LOG_LEVEL,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: describe },
    mixin: () => {
      const { requestId } = context.getStore() ?? {};
      return requestId === undefined ? {} : { requestId }; // pino adds to what it is given
    },
  },
  stream,
);

/** What a log may know of an error and what led to it: not Sequelize's `sql`, `parameters` and `instance`, which hold hashes and addresses. */
function describe(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, original, cause } = error as { code?: unknown; original?: { code?: unknown }; cause?: unknown };
  return {
    type: error.name,
    code: original?.code ?? code,
    message: error.message,
    stack: error.stack,
    ...(cause !== undefined && { cause: describe(cause) }),
  };
}
