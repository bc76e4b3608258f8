import { vi } from 'vitest';

export const SECOND = 1000;
export const DAY = 24 * 3600 * SECOND;

/** Moves the clock, which then stands still. `vi.useRealTimers()` sets it going again. */
export function wait(ms: number): void {
  const now = Date.now() + ms;
  vi.useFakeTimers({ toFake: ['Date'], now });
}
