import { AsyncLocalStorage } from 'node:async_hooks';

/** One request to a strategy, and what came of it. */
export interface Trial {
  answers: Answer[];
  /** Exceptions and rejections that reached nobody. */
  escaped: unknown[];
  /** What the strategy keeps for its way back, if it is of kind `redirect`. */
  session: object;
  /** From the request to the first answer, in milliseconds; endless if there was none. */
  ms: number;
}
export interface Answer {
  /** `refused`: what the server would not even have shown to the strategy. */
  outcome: 'success' | 'fail' | 'error' | 'pass' | 'redirect' | 'refused';
  said: unknown[];
}

/** The trial that is under way, wherever it has got to. */
export const current = new AsyncLocalStorage<Trial>();

const EVENTS = ['unhandledRejection', 'uncaughtException'] as const;
type Listener = (...args: unknown[]) => void;
let watching = 0;
let giveBack = () => {};

/** Until `stopWatching`: what escapes from a trial is noted in it, and the runner of the tests hears the rest. */
export function watchEscapes(): void {
  if (watching++ > 0) return;
  const taken = EVENTS.map((event) => {
    const others = process.listeners(event as 'exit') as unknown as Listener[];
    const note: Listener = (reason, ...more) => {
      const trial = current.getStore();
      if (trial) trial.escaped.push(reason);
      else if (others.length > 0) for (const other of others) other(reason, ...more);
      else throw reason;
    };
    process.removeAllListeners(event).on(event, note);
    return { event, others, note };
  });
  giveBack = () => {
    for (const { event, others, note } of taken) {
      process.off(event, note);
      for (const other of others) process.on(event, other);
    }
  };
}

export function stopWatching(): void {
  if (--watching === 0) giveBack();
}
