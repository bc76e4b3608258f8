import { log } from '#src/core/log';

/** Facts this server announces, after they are committed. Producers never know who listens. */
export interface Facts {
  'user.registered': { userId: string };
  'user.updated': { userId: string };
  'user.deleted': { userId: string };
  'user.disabled': { userId: string };
  'user.enabled': { userId: string };
  'role.created': { role: string };
  'role.granted': { userId: string; role: string };
  'role.revoked': { userId: string; role: string };
  'session.started': { userId: string; sessionId: string; strategy: string; ip: string | undefined };
  'session.refused': { strategy: string; ip: string | undefined };
}
type Listener = <N extends keyof Facts>(name: N, fact: Facts[N]) => void;

const listeners = new Set<Listener>();

/** Hears every fact from now on. Call what it returns to stop listening. */
export function subscribe(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Announces what has happened. A listener that fails is logged; it cannot undo or refuse the fact. */
export function emit<N extends keyof Facts>(name: N, fact: Facts[N]): void {
  for (const listener of listeners) {
    try {
      listener(name, fact);
    } catch (error) {
      log.error({ err: error, fact: name }, 'a listener failed');
    }
  }
}
