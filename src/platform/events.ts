import type { Log } from '#src/platform/log';

type Listener<E, N extends keyof E> = (event: E[N]) => void;
type AnyListener<E> = <N extends keyof E>(name: N, event: E[N]) => void;
type Stop = () => void;

/**
 * `service`: another service. `anonymous`: a request in which nobody proved who they are. `app`: code that embeds the
 * server.
 */
export type ActorKind = 'user' | 'service' | 'anonymous' | 'cli' | 'server' | 'app';

/** Who caused an event, where the request does not say it. */
export interface Cause {
  /** The id of a user or, with the kind `service`, of a service. */
  actor?: string;
  /** The user in whose name the actor did it. */
  onBehalfOf?: string;
  kind?: ActorKind;
}
export type Announced<E> = {
  [N in keyof E]: readonly [name: N, event: E[N], cause?: Cause];
}[keyof E];

/** The events of one instance. Those who emit never know who listens. Every event is stored: see `EventStore`. */
export interface Events<E> {
  /**
   * Call it in the transaction of what the event tells of. It is stored in that transaction and delivered after the
   * commit. It is forgotten if the transaction is undone.
   * @throws {Error} without a transaction
   */
  emit<N extends keyof E>(name: N, event: E[N], cause?: Cause): void;
  /**
   * The same for events without a write of their own, such as a refusal. Without a transaction it stores all of them by
   * one statement, and delivers them.
   * @throws {DatabaseError} if they cannot be stored. Then they are not delivered
   */
  record(...events: Announced<E>[]): Promise<void>;
  /** Listens from now on. Call the answer to stop. A listener that throws is logged; it cannot undo the event. */
  on<N extends keyof E>(name: N, listener: Listener<E, N>): Stop;
  onAny(listener: AnyListener<E>): Stop;
}

/** Where the events of an instance are stored. */
export interface EventStore<E> {
  isInTransaction(): boolean;
  /** Stores an event when the transaction around this call commits. @throws {Error} without a transaction */
  collect(event: Announced<E>): void;
  /** Stores events now, all by one statement. */
  write(events: readonly Announced<E>[]): Promise<void>;
  /** Runs `work` after the commit. */
  afterCommit(work: () => void): void;
}

export function createEvents<E>(store: EventStore<E>, log: Log): Events<E> {
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
  const emit = (announced: Announced<E>) => {
    const [name, event] = announced;
    store.collect(announced);
    store.afterCommit(() => deliver(name, event));
  };
  return {
    emit: (name, event, cause) => emit([name, event, cause] as Announced<E>),
    async record(...events) {
      if (store.isInTransaction()) return events.forEach(emit);
      await store.write(events);
      for (const [name, event] of events) deliver(name, event);
    },
    on: (wanted, listener) =>
      onAny((name, event) => {
        if ((name as keyof E) === wanted) (listener as (event: unknown) => void)(event);
      }),
    onAny,
  };
}
