import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { droppedLines } from '#src/platform/log';

/** Lines that cannot be written yet are kept up to so many characters. Further ones are dropped, and counted. */
const MAX_WAITING = 1024 * 1024;
/** More than this is written at once, and not at the end of the turn, in characters. */
const MAX_TURN = 64 * 1024;
/** What could not be written is tried again after so many milliseconds: at first, and at last. */
const [FIRST_RETRY_MS, LAST_RETRY_MS] = [1, 64];
/** The last lines of a process that ends get so many milliseconds. */
const LAST_LINES_MS = 500;
const STDOUT = 1;

export interface LogOutput {
  write(json: string): void;
  /** Writes what waits. Gives up after half a second if nobody reads it. */
  flushSync(): void;
  close(): void;
}

/**
 * Standard output. The lines of one turn of the event loop leave together at its end, in one write. No request ever waits
 * for a reader or a disk: what cannot be written (a full pipe, a full disk, no reader) is kept up to a bound and tried
 * again. `format` puts a line of JSON into other words. Each write is whole lines of `most` characters, or one line.
 */
export function standardOutput(
  format = (json: string): string => json,
  most = Infinity,
): LogOutput {
  let fd = nonBlockingOutput();
  let waiting = '';
  let rest: Buffer | undefined; // begins where the last write ended, maybe within a line
  let dropped = 0;
  let isScheduled = false;
  let retry: NodeJS.Timeout | undefined;
  let retryMs = FIRST_RETRY_MS;

  /** True if nothing is left. */
  const tryWrite = (): boolean => {
    try {
      while ((rest ??= next())) {
        const written = writeSync(fd, rest);
        retryMs = FIRST_RETRY_MS;
        rest = written < rest.length ? rest.subarray(written) : undefined;
        if (rest) return false;
      }
      return true;
    } catch {
      return false;
    }
  };
  const next = (): Buffer | undefined => {
    if (!waiting && dropped === 0) return undefined;
    if (!waiting) {
      waiting = format(droppedLines(dropped));
      dropped = 0;
    }
    const end =
      waiting.length <= most
        ? waiting.length
        : waiting.lastIndexOf('\n', most - 1) + 1 || waiting.indexOf('\n') + 1;
    const lines = Buffer.from(waiting.slice(0, end));
    waiting = waiting.slice(end);
    return lines;
  };
  const flush = (): void => {
    isScheduled = false;
    if (tryWrite()) return void (retry = undefined);
    retry = setTimeout(flush, retryMs).unref();
    retryMs = Math.min(2 * retryMs, LAST_RETRY_MS);
  };
  const flushSync = (): void => {
    const givesUp = performance.now() + LAST_LINES_MS;
    while (!tryWrite() && performance.now() < givesUp) sleepSync(10);
  };
  process.on('exit', flushSync);

  return {
    write(json: string): void {
      if (waiting.length >= MAX_WAITING) return void dropped++;
      waiting += format(json);
      if (isScheduled || retry) return;
      if (waiting.length >= MAX_TURN) return flush();
      isScheduled = true;
      setImmediate(flush);
    },
    flushSync, // pino calls it after a line of level `fatal`
    close() {
      process.off('exit', flushSync);
      flushSync();
      clearTimeout(retry);
      if (fd !== STDOUT) closeSync(fd);
      fd = STDOUT;
    },
  };
}

/** Standard output as a descriptor on which a write to a reader that does not read fails at once. A file has no reader. */
function nonBlockingOutput(): number {
  // Node makes a pipe or a socket non-blocking when it opens `process.stdout`, but a terminal blocking.
  if (!process.stdout.isTTY) return STDOUT;
  try {
    return openSync('/dev/fd/1', constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return STDOUT;
  }
}

const sleepSync = (ms: number): unknown =>
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
