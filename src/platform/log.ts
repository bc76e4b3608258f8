import pino, { type DestinationStream } from 'pino';
import { createTimeText } from '#src/platform/clock';
import type { RequestContext } from '#src/platform/request-context';

type Write = (fields: object, message: string) => void;

/** What the server logs with: pino, or a logger of the host app with these methods. */
export interface Log {
  debug: Write;
  info: Write;
  warn: Write;
  error: Write;
  fatal: Write;
  /** Writes the line of an answered request. A logger of the host app has no such method: `info` writes it then. */
  writeRequest?: (line: RequestLine) => void;
}

/** What is logged of a request that was answered. */
export interface RequestLine {
  requestId: string;
  method: string;
  /** Without query. */
  path: string;
  status: number;
  /** Milliseconds. */
  ms: number;
  ip: string | undefined;
}
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';

/**
 * Logs one JSON object a line, times in UTC. Callers name each field that they log. Nothing is logged whole and redacted
 * afterwards, so a new field cannot leak because it was forgotten.
 */
export function createLog(
  level: LogLevel,
  request: RequestContext,
  output: DestinationStream,
): Log {
  const log = pino(
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
  const isoTimeNow = createTimeText();
  return Object.assign(log, {
    writeRequest(line: RequestLine): void {
      if (log.isLevelEnabled('info')) output.write(requestLine(line, isoTimeNow()));
    },
  });
}

/** The same line as pino would write, at a tenth of the price: this is written for each request. */
function requestLine(line: RequestLine, time: string): string {
  const { requestId, method, path, status, ms, ip } = line;
  const client = ip === undefined ? '' : `,"ip":"${ip}"`;
  return `{"level":"info","time":"${time}","requestId":"${requestId}","method":"${method}","path":${JSON.stringify(path)},"status":${status},"ms":${ms}${client},"msg":"request"}\n`;
}

/** The line that says how many lines are missing. */
export const droppedLines = (count: number): string =>
  `{"level":"warn"${pino.stdTimeFunctions.isoTime()},"count":${count},"msg":"log lines were dropped"}\n`;

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
