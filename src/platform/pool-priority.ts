import { readdirSync, readFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** How much less often than others these threads get a processor that is wanted by more than one: see nice(2). */
const NICENESS = 5;
const THREADS = '/proc/self/task';

/**
 * Lets the thread that answers requests go before those that hash: while passwords are hashed on every core, a guarded
 * request would wait for a time slice of bcrypt to end. Where no other thread wants the processor, hashing takes as long
 * as before. Linux gives each thread a priority of its own; elsewhere nothing changes. For the server program: an app
 * that embeds the server decides for itself.
 */
export function letRequestsGoFirst(): void {
  try {
    for (const thread of readdirSync(THREADS))
      if (readFileSync(`${THREADS}/${thread}/comm`, 'utf8').trim() === 'libuv-worker')
        setPriority(Number(thread), NICENESS);
  } catch {} // without /proc, or where this is forbidden, all threads stay equal
}
