/** Milliseconds since 1970. */
export const now = (): number => Date.now();

/** A point in time on both clocks. */
export interface Moment {
  readonly date: number;
  readonly steady: number;
}
export const moment = (): Moment => ({ date: Date.now(), steady: performance.now() });

/**
 * Milliseconds since then, by the clock that counted more: one stands still while a machine sleeps, the other may be set
 * back.
 */
export const since = ({ date, steady }: Moment): number =>
  Math.max(Date.now() - date, performance.now() - steady);

export const later = ({ date, steady }: Moment, ms: number): Moment => ({
  date: date + ms,
  steady: steady + ms,
});
