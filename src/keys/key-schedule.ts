import type { SigningKey } from '#models/index';
import { lifetimes } from '#src/lifetimes';
import type { Settings } from '#src/platform/settings/settings';

/**
 * `pending`: published, does not sign yet. `retiring`: signs nothing more, but tokens that it signed may still be
 * valid. `gone`: every token that it signed has expired.
 */
export type KeyState = 'pending' | 'active' | 'retiring' | 'gone';

/** When the state of a key changes, in milliseconds since 1970. */
export interface KeySchedule {
  readonly signsFrom: number;
  readonly retiresFrom: number;
  readonly goneFrom: number;
}
export type Scheduled<K = SigningKey> = KeySchedule & { row: K };

/**
 * The schedules of keys of any algorithms. They follow from sequence numbers and creation times alone, so every node
 * derives the same. A key retires when the next one of its algorithm begins to sign. The first one signs at once.
 */
export function keySchedules<K extends Pick<SigningKey, 'algorithm' | 'sequence' | 'createdAt'>>(
  { longestTokenSeconds }: Pick<Settings, 'longestTokenSeconds'>,
  keys: readonly K[],
): Scheduled<K>[] {
  const publishedMs = lifetimes.publicKeysSeconds * 1000;
  const lingersMs = (longestTokenSeconds + lifetimes.clockSkewSeconds) * 1000;
  const inOrder = [...keys].sort((a, b) => a.sequence - b.sequence);
  const groups = Map.groupBy(inOrder, ({ algorithm }) => algorithm);
  return [...groups.values()].flatMap((group) =>
    group.map((row, i) => {
      const begins = (key: K) => key.createdAt.getTime() + publishedMs;
      const next = group[i + 1];
      const signsFrom = i === 0 ? row.createdAt.getTime() : begins(row);
      const retiresFrom = next ? begins(next) : Infinity;
      return { row, signsFrom, retiresFrom, goneFrom: retiresFrom + lingersMs };
    }),
  );
}

/** `now`: milliseconds since 1970. */
export function stateOf({ signsFrom, retiresFrom, goneFrom }: KeySchedule, now: number): KeyState {
  if (now >= goneFrom) return 'gone';
  if (now >= retiresFrom) return 'retiring';
  return now >= signsFrom ? 'active' : 'pending';
}
