import { readableLine } from '#src/platform/log-line';
import { standardOutput, type LogOutput } from '#src/platform/log-output';

/** In characters, of which each may take three bytes: up to 4096 bytes reach a pipe whole (PIPE_BUF, pipe(7)). */
const MOST_AT_ONCE = 1365;

/**
 * Standard output that several processes share. Each line says the `pid` of its own, and lines do not get between each
 * other, unless one is longer than 4096 bytes.
 */
export function sharedOutput(): LogOutput {
  const { pid, stdout } = process;
  const withPid = (json: string) => `{"pid":${pid},${json.slice(1)}`;
  const format = stdout.isTTY ? (json: string) => readableLine(withPid(json)) : withPid;
  return standardOutput(format, MOST_AT_ONCE);
}
