/**
 * So many hits in a window of so many milliseconds, then none until it is over. With `backoff` (milliseconds), a hit after
 * each pause instead: the pause is `from` after the last free hit, doubles with each further one, and is `to` at most.
 * Such a counter is reset after `forget` without a hit.
 */
export interface Rule {
  readonly max: number;
  readonly window: number;
  readonly backoff?: { readonly from: number; readonly to: number; readonly forget: number };
}

/** Rate-limit counters. Times are in milliseconds since 1970. */
export interface LimitStore {
  /**
   * Counts a hit. Answers 0 if it was within the rule, else the time from which the next one is accepted. Of many
   * concurrent hits exactly as many as the rule allows get 0.
   */
  hit(id: string, rule: Rule, now: number): Promise<number>;
  /** Undoes the last counted hit. */
  forgive(id: string): Promise<void>;
  /** Resets the counter. */
  forget(id: string): Promise<void>;
}
