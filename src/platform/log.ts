import pino, { type DestinationStream } from 'pino';
import { readableLine } from '#src/platform/log-line';
import type { RequestContext } from '#src/platform/request-context';

type Write = (fields: object, message: string) => void;

/** What the server logs with: pino, or a logger of the host app with these methods. */
export interface Log {
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
  fatal: Write;
}
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/**
 * Logs one JSON object a line, times in UTC. Callers name each field that they log. Nothing is logged whole and redacted
 * afterwards, so a new field cannot leak because it was forgotten.
 */
export const createLog = (
  level: LogLevel,
  request: RequestContext,
  output: DestinationStream,
): Log =>
  pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: describeError },
      mixin: () => {
        const { requestId } = request.getStore() ?? {};
        return requestId === undefined ? {} : { requestId }; // pino adds to this object
      },
    },
    output,
  );

export interface LogOutput extends DestinationStream {
  flushSync(): void;
  close(): void;
}

/**
 * Standard output. The lines of one turn of the event loop leave together at its end, in one write. No line waits for
 * another one, and none is lost when the process exits.
 */
export function standardOutput(): LogOutput {
  const output = pino.destination({ sync: true, minLength: 8192 });
  const flushSync = () => output.flushSync();
  process.on('exit', flushSync);
  let waiting = false;
  return {
    write(line: string): void {
      output.write(line);
      if (waiting) return;
      waiting = true;
      setImmediate(() => {
        waiting = false;
        output.flush(); // unlike flushSync it does not throw when the reader has gone
      });
    },
    flushSync, // pino calls it after a line of level `fatal`
    close() {
      process.off('exit', flushSync);
      output.flush();
    },
  };
}

/** Standard output for a person at a terminal: each line in words. See `readableLine`. */
export function terminalOutput(): LogOutput {
  const output = standardOutput();
  return { ...output, write: (line: string) => output.write(readableLine(line)) };
}

/** What a log may know of an error and its causes: not Sequelize's `sql`, `parameters` and `instance`, which hold hashes and addresses. */
function describeError(error: unknown): object {
  if (!(error instanceof Error)) return { type: typeof error };
  const { code, original, cause } = error as {
    code?: unknown;
    original?: { code?: unknown };
    cause?: unknown;
  };
  return {
    type: error.name,
    code: original?.code ?? code,
    message: error.message,
    stack: error.stack,
    ...(cause !== undefined && { cause: describeError(cause) }),
  };
}
