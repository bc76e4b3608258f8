/**
 * Short-lived storage of one strategy, such as for a challenge. It is in the database: what one node puts, every node
 * finds. Values are stored encrypted. Strategies do not see each other's keys.
 */
export interface StrategyStore {
  /**
   * Stores a value for so many seconds, in place of what was stored under this key.
   *
   * @param value anything that JSON can hold, up to 48,000 bytes of it
   * @throws {TypeError} when it is no such value
   */
  put(key: string, value: unknown, ttlSeconds: number): Promise<void>;
  /**
   * Answers the value and deletes it. Of several callers at the same time one gets it. Undefined for a key that is
   * unknown, was taken before or has expired.
   */
  take<T>(key: string): Promise<T | undefined>;
  /**
   * True for the first who calls it with this key, false for everybody else in the next so many
   * seconds, at least. For what works once and was not issued here, such as a token of a provider.
   */
  once(key: string, seconds: number): Promise<boolean>;
  /** Answers the value and leaves it there. Undefined for a key that is unknown, was taken or has expired. */
  read<T>(key: string): Promise<T | undefined>;
}
