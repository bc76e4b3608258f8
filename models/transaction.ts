import { AsyncLocalStorage } from 'node:async_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Sequelize } from 'sequelize';
import { isConflict } from '#models/database';

// Queries inside a transaction join it by themselves: there is no `{ transaction }` to forget. Sequelize has one namespace in a
// process, so there is one scope, however often this module is loaded.
const home = Sequelize as unknown as { scope?: AsyncLocalStorage<Map<string, unknown>> };
const scope = (home.scope ??= new AsyncLocalStorage());
(Sequelize as unknown as { useCLS(namespace: object): void }).useCLS({
  bind: (fn: unknown) => fn,
  get: (key: string) => scope.getStore()?.get(key),
  set: (key: string, value: unknown) => scope.getStore()?.set(key, value),
  run: (fn: (store: unknown) => unknown) => {
    const store = new Map(scope.getStore() ?? []);
    return scope.run(store, () => fn(store));
  },
});

const ATTEMPTS = 4;
const LATER = 'after commit';

/** Runs `work` when what is under way is committed, or at once if nothing is. Never if it is undone. */
export function afterCommit(work: () => void): void {
  const later = scope.getStore()?.get(LATER) as (() => void)[] | undefined;
  if (later) later.push(work);
  else work();
}

/** See `transaction` in models/index: this one is told on which database. */
export async function transactionOn<T>(database: Sequelize, fn: () => Promise<T>): Promise<T> {
  if (scope.getStore()?.has('transaction')) return fn();
  for (let attempt = 1; ; attempt++) {
    const later: (() => void)[] = [];
    try {
      const result = await scope.run(new Map([...(scope.getStore() ?? []), [LATER, later]]), () => database.transaction(() => fn()));
      for (const work of later) work();
      return result;
    } catch (error) {
      if (!isConflict(error) || attempt === ATTEMPTS) throw error;
      await sleep(20 + Math.random() * 80);
    }
  }
}
