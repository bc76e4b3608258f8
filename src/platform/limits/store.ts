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

/** A counter in a store: 32 hexadecimal digits, and the rule that it follows now. */
export interface Counter {
  readonly id: string;
  readonly rule: Rule;
}

/** What a counter says. `opensAt`: see `Refusal`. It is in the past while hits are accepted. */
export interface Count {
  readonly hits: number;
  readonly opensAt: number;
}

/** A counter that refused a hit, by its place among those that were asked. */
export interface Refusal {
  readonly index: number;
  /** From then on the next hit is accepted. */
  readonly opensAt: number;
}

/**
 * Rate-limit counters. Times are in milliseconds since 1970. Callers name several counters always in the same order: it is
 * the order in which the store locks them, so that concurrent calls cannot wait for each other in a circle.
 */
export interface LimitStore {
  /**
   * Counts a hit in each counter, up to the first that is full. Those after it are left as they were. Of many concurrent
   * hits a counter accepts exactly as many as its rule allows. Undefined: all accepted it.
   */
  hit(counters: readonly Counter[], now: number): Promise<Refusal | undefined>;
  /** Takes a hit back from each counter. It opens again if it was closed by this hit. Of those in `all`, every hit. */
  takeBack(counters: readonly Counter[], all?: readonly Counter[]): Promise<void>;
  /** Counters that are not zero, by their id. */
  read(ids: readonly string[], now: number): Promise<ReadonlyMap<string, Count>>;
  /** Deletes counters. */
  forget(ids: readonly string[]): Promise<void>;
}
