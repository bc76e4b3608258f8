import { vi } from 'vitest';
import type { Context } from '#src/context';

export const SECOND = 1000;
export const DAY = 24 * 3600 * SECOND;

/** Moves the clock, which then stands still. `vi.useRealTimers()` sets it going again. */
export function wait(ms: number): void {
  const now = Date.now() + ms;
  vi.useFakeTimers({ toFake: ['Date'], now });
}

/**
 * Stops the clock of an instance at a time, in milliseconds since 1970. With a database server that
 * clock may differ from the clock of this machine by some milliseconds.
 */
export function setTime({ clock }: Pick<Context, 'clock'>, ms: number): void {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(ms - (clock.now() - Date.now()));
}
