import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { chainOf } from '#src/audit/ends';
import { SEAL_STEP, sealNext } from '#src/audit/seal';
import type { Context } from '#src/context';
import { every } from '#src/platform/schedule';

/** Entries that are written in this time are sealed together. */
const GATHER_MS = 100;
/** Between two steps others get their turn. */
const PAUSE_MS = 20;
/**
 * How often a node looks for what others have left, and what others have sealed. With GATHER_MS, and a moment to seal and to
 * tell, what changes on one node binds in a service that asks another one within a second.
 */
const POLL_SECONDS = 0.5;

/** Seals every entry that is there. */
export async function sealAll(ctx: Context, stopped?: AbortSignal): Promise<void> {
  let count = await sealNext(ctx);
  if (count === 0) return;
  while (count === SEAL_STEP) {
    if (stopped?.aborted) break;
    await sleep(PAUSE_MS);
    count = await sealNext(ctx);
  }
  ctx.audit.tellSealed();
}

/** Seals the entries of the audit trail, now and from now on. Call the answer to stop. */
export function startSealing(ctx: Context): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;
  let running: Promise<void> | undefined;
  let isWoken = false;
  let known: number | undefined;

  const run = async () => {
    try {
      await sleep(GATHER_MS, undefined, { signal });
      isWoken = false;
      await sealAll(ctx, signal);
    } catch (error) {
      if (!signal.aborted) ctx.log.warn({ err: error, task: 'audit' }, 'a task failed');
    }
  };
  const begin = () => {
    isWoken = true;
    if (signal.aborted) return;
    running ??= run().finally(() => {
      running = undefined;
      if (isWoken) begin();
    });
  };
  // It is called within requests: neither their ids nor their transactions belong to the worker.
  ctx.audit.onWritten(AsyncLocalStorage.bind(begin));
  const stopPolling = every(ctx, POLL_SECONDS, 'audit', async () => {
    const { db, audit } = ctx;
    if (await db.AuditEntry.findOne({ attributes: ['id'], where: { seq: null } })) begin();
    const { tipSeq } = await chainOf(ctx);
    if (known !== undefined && known !== tipSeq) audit.tellSealed(); // another node may have sealed them
    known = tipSeq;
  });
  begin();

  return async () => {
    ctx.audit.onWritten(undefined);
    stopping.abort();
    await stopPolling();
    await running;
  };
}
