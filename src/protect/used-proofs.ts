import { now } from '#src/protect/time';

/** So many proofs are remembered: as many as a process can check while the time of a proof may be ahead. */
const MOST = 200_000;

/**
 * The proofs that were used, each until it is too old anyway. If there is no room, the oldest are forgotten, and all that are
 * as old are refused from then on: what is forgotten cannot be used again.
 */
export class UsedProofs {
  /** By the second in which they are too old. A proof is always in the same one. */
  readonly #ids = new Map<number, Set<string>>();
  readonly #most: number;
  #size = 0;
  /** Whatever ends in this second, or before it, may have been used. */
  #floor: number;
  #tidiedAt = 0;

  /** `seconds`: how long a proof is good. One of before the start may have been used in the process before. */
  constructor(seconds: number, most = MOST) {
    this.#floor = Math.floor(now() / 1000) - 1 + seconds;
    this.#most = most;
  }

  get size(): number {
    return this.#size;
  }

  /** True for a proof that may be one of those that were forgotten. `end`: a whole number, in seconds since 1970. */
  isTooOld(end: number): boolean {
    return end <= this.#floor;
  }

  /** True only the first time. Ask `isTooOld` before, in the same turn of the event loop. */
  use(id: string, end: number): boolean {
    this.#tidy();
    const ids = this.#ids.get(end) ?? new Set();
    if (ids.has(id)) return false;
    this.#ids.set(end, ids.add(id));
    if (++this.#size > this.#most) this.#forget(Math.min(...this.#ids.keys()));
    return true;
  }

  #tidy(): void {
    const second = Math.floor(now() / 1000);
    if (second === this.#tidiedAt) return;
    this.#tidiedAt = second;
    for (const end of this.#ids.keys()) if (end <= second) this.#forget(end);
  }

  #forget(end: number): void {
    this.#size -= this.#ids.get(end)!.size;
    this.#ids.delete(end);
    this.#floor = Math.max(this.#floor, end);
  }
}
