import { AsyncLocalStorage } from 'node:async_hooks';
import { literal, Op } from 'sequelize';
import type { OneTimeToken } from '#models/index';
import type { Context } from '#src/context';
import { unsealJson } from '#src/platform/crypto/secrets';
import { every } from '#src/platform/schedule';
import { REVOCATION, type Revocation } from '#src/provider-grants/provider-grants';
import { providerOf } from '#src/strategy-kit/contract';
import type { AuthStrategy } from '#src/strategy-kit/strategy';

/** How often a grant is tried again that could not be ended. */
const PAUSE_SECONDS = 60;
/** The events after which there may be something to end. */
const CAUSES = [
  'user.deleted',
  'identity.unlinked',
  'user.taken_over',
  'user.email_restored',
  'user.password_changed',
] as const;
/** So many rows are read at once. */
const PAGE = 50;

/**
 * Ends what providers granted to identities that were deleted, now and from now on. Call the answer to
 * stop. Several nodes may end the same grant: the second time changes nothing.
 */
export function startRevocations(ctx: Context): () => Promise<void> {
  const stopping = new AbortController();
  const stopped = new Promise<void>((resolve) =>
    stopping.signal.addEventListener('abort', () => resolve()),
  );
  let running: Promise<void> | undefined;
  let missed = false;
  const begin = (): void => {
    missed = running !== undefined; // it may have looked for the last time
    if (missed || stopping.signal.aborted) return;
    running = revokeQueued(ctx, stopping.signal, stopped)
      .catch((error: unknown) => ctx.log.warn({ err: error, task: 'grants' }, 'a task failed'))
      .finally(() => {
        running = undefined;
        if (missed) begin();
      });
  };
  // Events arrive within a request. Bound: neither its id nor its transaction belongs to this task.
  const wake = AsyncLocalStorage.bind(begin);
  const listening = CAUSES.map((cause) => ctx.events.on(cause, wake));
  const stopPolling = every(ctx, PAUSE_SECONDS, 'grants', async () => begin());
  begin();
  return async () => {
    for (const stop of listening) stop();
    stopping.abort();
    await stopPolling();
    await running;
  };
}

/** The grants of one provider are tried up to the first one that fails. */
async function revokeQueued(
  ctx: Context,
  signal: AbortSignal,
  stopped: Promise<void>,
): Promise<void> {
  const unavailable = new Set<AuthStrategy>();
  for await (const row of queued(ctx)) {
    if (ctx.strategies.on.every((each) => !each.revoke || unavailable.has(each))) return;
    const revocation = revocationIn(ctx, row);
    const strategy = revocation && strategyFor(ctx, revocation);
    if (!strategy || unavailable.has(strategy)) continue;
    const isDone = revoke(ctx, strategy, row, revocation);
    isDone.catch(() => {}); // while the server stops, nobody waits for it
    await Promise.race([isDone, stopped]);
    if (signal.aborted) return;
    if (!(await isDone)) unavailable.add(strategy);
  }
}

/**
 * Every grant that waits, those first that failed least often. Those that nobody here can end keep no other waiting: they
 * are passed over.
 */
async function* queued({ db, clock }: Context): AsyncGenerator<OneTimeToken> {
  for (let last: OneTimeToken | undefined; ;) {
    const rows: OneTimeToken[] = await db.OneTimeToken.findAll({
      where: {
        userId: null,
        purpose: REVOCATION,
        expiresAt: { [Op.gt]: clock.date() },
        ...(last && behind(last)),
      },
      order: ['attempts', 'digest'],
      limit: PAGE,
    });
    yield* rows;
    if (rows.length < PAGE) return;
    last = rows.at(-1);
  }
}

const behind = ({ attempts, digest }: OneTimeToken) => ({
  [Op.or]: [{ attempts: { [Op.gt]: attempts } }, { attempts, digest: { [Op.gt]: digest } }],
});

/** Undefined for what was encrypted under another APP_SECRET. */
const revocationIn = ({ secrets }: Context, { data }: OneTimeToken): Revocation | undefined =>
  unsealJson(secrets, REVOCATION, data!) as Revocation | undefined;

/** Undefined if the strategy is switched off: another node, or a later start, may have it. */
const strategyFor = ({ strategies }: Context, { provider }: Revocation): AuthStrategy | undefined =>
  strategies.on.find((each) => each.revoke && providerOf(each) === provider);

/** False if it could not be ended. The row is then left for the next run. */
async function revoke(
  { db, log, strategies }: Context,
  strategy: AuthStrategy,
  { digest, attempts }: OneTimeToken,
  { provider, grant }: Revocation,
): Promise<boolean> {
  const where = { digest };
  try {
    await strategy.revoke!(grant, strategies.contexts.get(strategy.name)!.env);
  } catch (error) {
    const tried = { provider, attempts: attempts + 1 };
    log.warn({ err: error, ...tried }, 'a grant was not ended at its provider');
    await db.OneTimeToken.update({ attempts: literal('tries + 1') }, { where }); // the column
    return false;
  }
  await db.OneTimeToken.destroy({ where });
  return true;
}
