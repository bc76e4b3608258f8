import { afterCommit } from '#models/transaction';
import { log } from '#src/core/log';

/** Facts this server announces. Producers never know who listens. */
export interface Facts {
  'user.registered': { userId: string };
  'user.imported': { userId: string };
  'user.updated': { userId: string };
  'user.deleted': { userId: string };
  'user.password_changed': { userId: string };
  'user.email_verified': { userId: string };
  'user.email_changed': { userId: string };
  /** Somebody took the old address back, and with it the user. */
  'user.email_restored': { userId: string };
  'session.reauthenticated': { userId: string; sessionId: string };
  'user.disabled': { userId: string };
  'user.enabled': { userId: string };
  /** A provider vouched for an address that its user had never proved: what that user had set up is gone. */
  'user.taken_over': { userId: string; provider: string };
  'identity.linked': { userId: string; provider: string };
  'identity.unlinked': { userId: string; provider: string };
  'api_key.made': { userId: string; apiKeyId: string };
  'api_key.deleted': { userId: string; apiKeyId: string };
  'role.created': { role: string };
  'role.granted': { userId: string; role: string };
  'role.revoked': { userId: string; role: string };
  'key.made': { kid: string; algorithm: string };
  'session.started': { userId: string; sessionId: string; strategy: string; ip: string | null | undefined };
  'session.ended': { userId: string; sessionId: string; why: Ending };
  /** Somebody came with a refresh token that was spent long ago: it was copied, or restored from a backup. The session has ended. */
  'session.reused': { userId: string; sessionId: string; ip: string | null | undefined };
  /** Of a network, told once for as long as it lasts; of an account, for each attempt that was not made. */
  'limit.reached': { limit: string; ip: string | undefined };
  'session.refused': { strategy: string; ip: string | undefined };
  'mail.sent': { mailId: string; template: string };
  /** It was given up. */
  'mail.failed': { mailId: string; template: string; why: string };
}
/** `replaced`: the oldest gave way to a new one. */
export type Ending =
  | 'signed_out'
  | 'reused'
  | 'replaced'
  | 'password_changed'
  | 'user_disabled'
  | 'taken_over'
  | 'password_reset'
  | 'email_restored';
type Listener = <N extends keyof Facts>(name: N, fact: Facts[N]) => void;

const listeners = new Set<Listener>();

/** Hears every fact from now on. Call what it returns to stop listening. */
export function subscribe(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/**
 * Announces what has happened; inside a transaction, when it is committed. A listener that fails is logged;
 * it cannot undo or refuse the fact.
 */
export function emit<N extends keyof Facts>(name: N, fact: Facts[N]): void {
  afterCommit(() => tell(name, fact));
}

function tell<N extends keyof Facts>(name: N, fact: Facts[N]): void {
  for (const listener of listeners) {
    try {
      listener(name, fact);
    } catch (error) {
      log.error({ err: error, fact: name }, 'a listener failed');
    }
  }
}
