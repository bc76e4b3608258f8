import type { z } from 'zod';
import { chainOf } from '#src/audit/ends';
import { changeOf, type Change } from '#src/changes/catalogue';
import {
  cursorAt,
  endOf,
  isOfTrail,
  isOld,
  readCursor,
  stepFrom,
  type Step,
} from '#src/changes/place';
import type { Context } from '#src/context';

export interface Changes {
  after: string | null;
  cursor: string;
  reset: boolean;
  changes: z.input<typeof Change>[];
  more: boolean;
  waitedMs: number;
}

/**
 * What changed behind a cursor, as far as it is sealed when it is asked for, or the first that changes before `until`. A
 * cursor that is too old, or of another trail, is answered with `reset`: nobody knows what changed since.
 * @throws {Problem} 400 `invalid_request` for a cursor that was not made here; 429 `rate_limited`, 503 `unavailable` if too
 * many wait
 */
export async function pollChanges(
  ctx: Context,
  after: string | undefined,
  waiting: { service: string; until: AbortSignal },
): Promise<Changes> {
  const begun = performance.now();
  const from = after === undefined ? undefined : readCursor(ctx, after);
  const chain = await chainOf(ctx);
  const answer = ({ rows, place, more }: Step, looked = begun, reset = false): Changes => ({
    after: after ?? null,
    cursor: cursorAt(ctx, place),
    reset,
    changes: rows.map(changeOf),
    more,
    waitedMs: Math.floor(looked - begun),
  });
  if (!from || isOld(ctx, from.at) || !(await isOfTrail(ctx, chain, from)))
    return answer({ rows: [], place: endOf(chain), more: false }, begun, true);
  const now = await stepFrom(ctx, from, chain);
  if (now.rows.length > 0) return answer(now);
  const next = await ctx.changes.next(now.place, waiting);
  if (next.rows.length > 0) return answer(next);
  // Only a look says that nothing changed: nobody may have told us yet.
  const looked = performance.now();
  return answer(await stepFrom(ctx, next.place), looked);
}
