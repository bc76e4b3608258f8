import { AsyncLocalStorage } from 'node:async_hooks';
import type { Place, Step } from '#src/changes/place';
import type { AuditTrail } from '#src/audit/trail';
import { Problem } from '#src/platform/http/problem';

/** So many requests wait on one instance for changes, and so many of one service. */
const [MOST, MOST_OF_ONE] = [500, 50];

interface Waiter {
  place: Place;
  readonly service: string;
  /** Ends the waiting. */
  answer(step: Step): void;
}

/** Requests of other services that wait for changes. */
export interface ChangeFeed {
  /**
   * What changed behind this place, as soon as this instance learns of it. Nothing, if that is not before `until`.
   * @throws {Problem} 429 `rate_limited`, 503 `unavailable` if too many wait
   */
  next(place: Place, waiting: { service: string; until: AbortSignal }): Promise<Step>;
  /** Answers everybody who waits. From now on nobody does. */
  close(): void;
}

/**
 * `read` reads the changes behind a place. It is called once for all who wait, when the audit trail tells that entries were
 * sealed: those of other nodes within a second.
 */
export function createChangeFeed(
  audit: AuditTrail,
  read: (from: Place) => Promise<Step>,
): ChangeFeed {
  const waiters = new Set<Waiter>();
  let isClosed = false;
  let looking: Promise<void> | undefined;
  let isMissed = false;

  const answerAll = () => {
    for (const waiter of waiters) waiter.answer(nothing(waiter.place));
  };
  async function look(): Promise<void> {
    const [first] = [...waiters].sort((a, b) => a.place.seq - b.place.seq);
    if (!first) return;
    const step = await read(first.place);
    for (const waiter of waiters) {
      if (waiter.place.seq >= step.place.seq) continue; // it began to wait meanwhile, further on
      const rows = step.rows.filter(({ seq }) => seq! > waiter.place.seq);
      waiter.place = step.place;
      if (rows.length > 0) waiter.answer({ ...step, rows });
    }
    if (step.more) isMissed = true;
  }
  function wake(): void {
    if (looking) return void (isMissed = true);
    isMissed = false;
    // Whoever waits asks again when they are answered, and hears that the database is away.
    looking = look()
      .catch(answerAll)
      .finally(() => {
        looking = undefined;
        if (isMissed) wake();
      });
  }
  // Neither the request that is answered nor its transaction belongs to it.
  const start = AsyncLocalStorage.bind(wake);
  const stop = audit.onSealed(start);

  return {
    async next(place, { service, until }) {
      if (isClosed || until.aborted) return nothing(place);
      refuseTooMany(waiters, service);
      const { promise, resolve } = Promise.withResolvers<Step>();
      const waiter: Waiter = { place, service, answer: resolve };
      const end = () => resolve(nothing(waiter.place));
      waiters.add(waiter);
      until.addEventListener('abort', end);
      start(); // something may have been sealed since the place was read
      try {
        return await promise;
      } finally {
        waiters.delete(waiter);
        until.removeEventListener('abort', end);
      }
    },
    close() {
      isClosed = true;
      stop();
      answerAll();
    },
  };
}

const nothing = (place: Place): Step => ({ rows: [], place, more: false });

function refuseTooMany(waiters: ReadonlySet<Waiter>, service: string): void {
  const own = [...waiters].filter((waiter) => waiter.service === service);
  if (own.length >= MOST_OF_ONE)
    throw new Problem('rate_limited', { headers: { 'Retry-After': '2' } });
  if (waiters.size >= MOST) throw new Problem('unavailable');
}
