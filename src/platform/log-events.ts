import type { Events } from '#src/platform/events';
import type { Log } from '#src/platform/log';

/** Writes a log line for each event: who, what, with what outcome (OWASP ASVS 16.2.1). Call the answer to stop. */
export const logEvents = <E>(events: Events<E>, log: Log): (() => void) =>
  events.onAny((name, event) => {
    log.info({ event: name, ...event }, 'event');
  });
