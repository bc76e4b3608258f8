import type { SigningKey } from '#models/index';
import { config } from '#src/config';

/** How long others may keep our public keys, in seconds. A new key is shown for so long before it signs. */
export const CACHE_LIFE = 300;
/** By how much the clocks of nodes may differ, in milliseconds. */
const SKEW = 60_000;

/** `pending`: shown, signs nothing yet. `retiring`: signs nothing more, and what it signed may be good still. */
type State = 'pending' | 'active' | 'retiring' | 'gone';

/** What a key is when, in milliseconds since 1970. Nothing but its number and its birthday decides, so every node comes to the same. */
export interface Life {
  readonly signsFrom: number;
  readonly retiresFrom: number;
  readonly goneFrom: number;
}

/** The lives of keys of any algorithms. A key retires when the next of its algorithm begins to sign; the first one signs from the start. */
export function livesOf<K extends Pick<SigningKey, 'algorithm' | 'sequence' | 'createdAt'>>(keys: readonly K[]): (Life & { row: K })[] {
  const inOrder = [...keys].sort((a, b) => a.sequence - b.sequence);
  return [...Map.groupBy(inOrder, ({ algorithm }) => algorithm).values()].flatMap((line) =>
    line.map((row, i) => {
      const begins = (key: K) => key.createdAt.getTime() + CACHE_LIFE * 1000;
      const next = line[i + 1];
      const retiresFrom = next ? begins(next) : Infinity;
      const goneFrom = retiresFrom + config.LONGEST_TOKEN * 1000 + SKEW;
      return { row, signsFrom: i === 0 ? row.createdAt.getTime() : begins(row), retiresFrom, goneFrom };
    }),
  );
}

export function stateOf({ signsFrom, retiresFrom, goneFrom }: Life, now: number): State {
  if (now >= goneFrom) return 'gone';
  if (now >= retiresFrom) return 'retiring';
  return now >= signsFrom ? 'active' : 'pending';
}
