import { subscribe } from '#src/core/events';
import { log } from '#src/core/log';

/** Each fact is a log line: who, what, with what outcome (OWASP ASVS 16.2.1). Facts hold ids, never credentials. */
export const logFacts = (): (() => void) =>
  subscribe((name, fact) => {
    log.info({ fact: name, ...fact } as object, 'fact');
  });
