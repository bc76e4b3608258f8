import type { Log } from '#src/platform/log';

type Listener<E, N extends keyof E> = (event: E[N]) => void;
type AnyListener<E> = <N extends keyof E>(name: N, event: E[N]) => void;
type Stop = () => void;

/** The events of one instance. Those who emit never know who listens. */
export interface Events<E> {
  /** Inside a transaction, the event is delivered after the commit, and never if the transaction is undone. */
  emit<N extends keyof E>(name: N, event: E[N]): void;
  /** Listens from now on. Call the answer to stop. A listener that throws is logged; it cannot undo the event. */
  on<N extends keyof E>(name: N, listener: Listener<E, N>): Stop;
  onAny(listener: AnyListener<E>): Stop;
}

export function createEvents<E>(afterCommit: (work: () => void) => void, log: Log): Events<E> {
  const listeners = new Set<AnyListener<E>>();
  const deliver: AnyListener<E> = (name, event) => {
    for (const listener of listeners) {
      try {
        listener(name, event);
      } catch (error) {
        log.error({ err: error, event: name }, 'a listener failed');
      }
    }
  };
  const onAny = (listener: AnyListener<E>): Stop => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  };
  return {
    emit: (name, event) => afterCommit(() => deliver(name, event)),
    on: (wanted, listener) =>
      onAny((name, event) => {
        if ((name as keyof E) === wanted) (listener as (event: unknown) => void)(event);
      }),
    onAny,
  };
}
