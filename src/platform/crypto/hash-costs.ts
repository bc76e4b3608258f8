import { LRUCache } from 'lru-cache';
import { compareInVain } from '#src/platform/crypto/hashes/bcrypt';
import type { StoredHash } from '#src/platform/crypto/hashes/foreign';

/** Cost of the comparison that tells how fast this machine is. */
const CALIBRATION_COST = 8;
/** An estimate is corrected by at most this factor: a busy moment must not make every sign-in slow. */
const MOST_CORRECTION = 2;

/**
 * What comparisons cost on this machine, in rounds of bcrypt. The readers only estimate: Argon2 takes twice as long where
 * memory is slow, and less with several lanes. So each comparison is measured, and the fastest of its kind counts.
 */
export class HashCosts {
  /** The fastest round of bcrypt so far, in milliseconds. */
  #round = Infinity;
  /** Costs by the parameters of the hashes seen so far. */
  readonly #costs = new LRUCache<string, { estimate: number; fastest: number }>({ max: 100 });

  /** Compares, and remembers how long it took. */
  async compare(hash: StoredHash, password: Buffer): Promise<boolean> {
    const start = performance.now();
    const isMatch = await hash.matches(password);
    this.#remember(hash, performance.now() - start);
    return isMatch;
  }

  /** The cost as measured, or the estimate before the first comparison. */
  roundsOf({ rounds, parameters }: StoredHash): number {
    return this.#corrected(rounds, this.#costs.peek(parameters)?.fastest);
  }

  /** The cost of the most expensive kind of hash seen so far. */
  dearest(): number {
    const all = [...this.#costs.values()];
    return Math.max(0, ...all.map((each) => this.#corrected(each.estimate, each.fastest)));
  }

  /** Measures a kind of hash, unless it was seen before. */
  async measure(hash: StoredHash): Promise<number> {
    if (this.#round === Infinity) {
      const start = performance.now();
      await compareInVain(CALIBRATION_COST);
      this.#round = (performance.now() - start) / 2 ** CALIBRATION_COST;
    }
    if (!this.#costs.has(hash.parameters)) await this.compare(hash, Buffer.from('password'));
    return this.roundsOf(hash);
  }

  #remember({ rounds, parameters }: StoredHash, ms: number): void {
    const isBcrypt = parameters.startsWith('bcrypt');
    if (isBcrypt) this.#round = Math.min(this.#round, ms / rounds);
    const before = this.#costs.get(parameters)?.fastest ?? Infinity;
    this.#costs.set(parameters, {
      estimate: rounds,
      fastest: isBcrypt ? Infinity : Math.min(before, ms),
    });
  }

  #corrected(estimate: number, ms = Infinity): number {
    if (ms === Infinity || this.#round === Infinity) return estimate;
    const measured = ms / this.#round;
    return Math.min(Math.max(measured, estimate / MOST_CORRECTION), estimate * MOST_CORRECTION);
  }
}
