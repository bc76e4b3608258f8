/** Longest wait for a turn in milliseconds. A transaction that waits for a write outside it never ends. */
const TURN_TIMEOUT_MS = 10_000;

/** First come, first served. Each caller gets the turn and gives it back. */
export class Queue {
  #last: Promise<void> = Promise.resolve();

  /** @throws {Error} with the code SQLITE_BUSY when the turn does not come in time */
  async turn(): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = this.#last;
    this.#last = promise;
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(busy()), TURN_TIMEOUT_MS);
    try {
      await Promise.race([before, late]);
      return resolve;
    } catch (error) {
      void before.then(resolve); // whoever waits behind gets the turn when it comes
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }
}

const busy = () =>
  Object.assign(new Error('SQLITE_BUSY: another transaction does not end'), {
    code: 'SQLITE_BUSY',
  });
