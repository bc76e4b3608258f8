import { AsyncLocalStorage } from 'node:async_hooks';

/** One request to a strategy, and its outcome. */
export interface Trial {
  answers: Answer[];
  /** Exceptions and rejections that nothing handled. */
  unhandled: unknown[];
  /** What the strategy stored in `req.session`, for kind `redirect`. */
  session: object;
  /** From the request to the first answer, in milliseconds. Infinity if there was none. */
  ms: number;
}
export interface Answer {
  /** `refused`: the request did not pass validation, so the server would not call the strategy. */
  outcome: 'success' | 'fail' | 'error' | 'pass' | 'redirect' | 'refused';
  args: unknown[];
}

/** How late after its check an error of a trial is still recorded, in milliseconds. */
const LATE_MS = 100;
const EVENTS = ['unhandledRejection', 'uncaughtException'] as const;
type Listener = (...args: unknown[]) => void;

/** All watches of a process share it, because the process has one set of listeners. */
interface Recorder {
  /** The trial that is running. */
  current: AsyncLocalStorage<Trial>;
  watches: number;
  uninstall: () => void;
}
const RECORDER: unique symbol = Symbol.for('sallyport.conformance.recorder') as never;
interface RecordingListener extends Listener {
  [RECORDER]?: Recorder;
}

const listenersOf = (event: string) =>
  process.listeners(event as 'exit') as unknown as RecordingListener[];

/**
 * Records unhandled errors in the trial that caused them. Other errors go to the listeners that
 * were there before, such as those of the test runner. Watches may overlap. Soon after the last one
 * has stopped, the listeners are as they were: what a trial throws late is still its own.
 */
export function watchUnhandledErrors() {
  const installed = listenersOf(EVENTS[0]).find((listener) => listener[RECORDER]);
  const recorder = installed?.[RECORDER] ?? install();
  recorder.watches++;
  return {
    /** Runs a function as part of a trial. */
    run: <T>(trial: Trial, fn: () => T): T => recorder.current.run(trial, fn),
    stop: (): void => {
      if (--recorder.watches > 0) return;
      setTimeout(() => recorder.watches === 0 && recorder.uninstall(), LATE_MS).unref();
    },
  };
}

function install(): Recorder {
  const current = new AsyncLocalStorage<Trial>();
  const replaced = EVENTS.map((event) => {
    const others = listenersOf(event);
    const record: RecordingListener = (reason, ...more) => {
      const trial = current.getStore();
      if (trial) trial.unhandled.push(reason);
      else if (others.length > 0) for (const other of others) other(reason, ...more);
      else throw reason;
    };
    process.removeAllListeners(event).on(event, record);
    return { event, others, record };
  });
  const recorder: Recorder = {
    current,
    watches: 0,
    uninstall: () => {
      for (const { event, others, record } of replaced.splice(0)) {
        process.off(event, record);
        for (const other of others) process.on(event, other);
      }
    },
  };
  for (const { record } of replaced) record[RECORDER] = recorder;
  return recorder;
}
