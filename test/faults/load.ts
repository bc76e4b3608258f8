import { setTimeout as sleep } from 'node:timers/promises';
import { Account, type Ask } from '#test/faults/account';
import type { Ledger } from '#test/faults/ledger';

/** How many requests an account makes before its client signs up the next one. */
const STEPS_PER_ACCOUNT = 12;
/** Time for work that must come to an end, in milliseconds, on a machine that is busy with other work. */
const PATIENCE_MS = 120_000;

export interface Load {
  /** Waits until so many more requests are acknowledged. */
  acknowledge(count: number): Promise<void>;
  /** Lets every client finish its request, then holds each account against what was acknowledged. */
  verify(): Promise<void>;
  stop(): Promise<void>;
}

/** Clients that ask one after the other, without a pause, until the load is stopped. `steps`: of one account. */
export function startLoad(
  ledger: Ledger,
  ask: Ask,
  clients: number,
  steps = STEPS_PER_ACCOUNT,
): Load {
  const current = new Map<number, Account>();
  const over = new AbortController();
  let gate: Promise<void> | undefined;
  let atGate = 0;

  const live = async (client: number) => {
    while (!over.signal.aborted) {
      const account = new Account(ledger, ask);
      current.delete(client);
      try {
        await account.signUp();
        current.set(client, account);
        for (let i = 0; i < steps && !over.signal.aborted; i++) {
          await pick(account)();
          if (!gate) continue;
          atGate++;
          await gate;
          atGate--;
        }
      } catch (error) {
        ledger.wrong.push((error as Error).message);
      }
    }
  };
  const running = Array.from({ length: clients }, (_, client) => live(client));

  return {
    acknowledge: (count) => {
      const enough = ledger.acknowledged + count;
      return until('requests are acknowledged', () => ledger.acknowledged >= enough);
    },
    async verify() {
      const { promise, resolve } = Promise.withResolvers<void>();
      gate = promise;
      await until('every client has an answer', () => atGate === clients);
      for (const account of current.values())
        await account.verify().catch((error: Error) => ledger.lost.push(error.message));
      gate = undefined;
      resolve();
      await until('the clients go on', () => atGate === 0);
    },
    async stop() {
      over.abort();
      await Promise.all(running);
    },
  };
}

function pick({ steps }: Account): () => Promise<void> {
  let left = Math.random() * steps.reduce((sum, [share]) => sum + share, 0);
  for (const [share, step] of steps) if ((left -= share) < 0) return step;
  return steps[0]![1];
}

/** @throws {Error} when it does not happen */
export async function until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + PATIENCE_MS; !(await check()); await sleep(10))
    if (performance.now() > end) throw new Error(`Waited in vain: ${what}`);
}
