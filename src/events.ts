import type { Acr } from '#src/users/assurance';

/** Every event this server announces, in the past tense. Details are ids and plain words, never credentials. */
export interface EventMap {
  'user.registered': { userId: string };
  'user.imported': { userId: string };
  'user.updated': { userId: string };
  'user.deleted': { userId: string };
  'user.password_changed': { userId: string };
  'user.email_verified': { userId: string };
  'user.email_changed': { userId: string };
  /** The owner of the old address undid a change of address. */
  'user.email_restored': { userId: string };
  'user.disabled': { userId: string };
  'user.enabled': { userId: string };
  /** An operator or administrator made the server forget failed sign-ins. */
  'user.unlocked': { userId: string };
  /** An operator or administrator sent the user the link that sets a new password. */
  'user.password_reset_sent': { userId: string };
  /** A provider proved an address that its user had never proved. What that user had set up was deleted. */
  'user.taken_over': { userId: string; provider: string };
  'identity.linked': { userId: string; provider: string };
  'identity.unlinked': { userId: string; provider: string };
  'api_key.made': { userId: string; apiKeyId: string };
  'api_key.deleted': { userId: string; apiKeyId: string };
  'factor.added': { userId: string; factorId: string; kind: string };
  'factor.renamed': { userId: string; factorId: string; kind: string };
  'factor.removed': { userId: string; factorId: string; kind: string };
  /** An operator or administrator took all of them. `factors`: how many. */
  'factors.reset': { userId: string; factors: number };
  'recovery_codes.renewed': { userId: string };
  'recovery_code.used': { userId: string };
  /** A genuine signature of a passkey, whose counter went back: somebody has a copy. It was refused. */
  'passkey.copied': { userId: string; factorId: string };
  /** An invitation was mailed, for the first time or again. */
  'invitation.sent': { invitationId: string };
  'invitation.revoked': { invitationId: string };
  'invitation.accepted': { invitationId: string; userId: string };
  'role.created': { role: string };
  /** It allows more or less than before, to everybody who has it, or only its description changed. Also for a new role. */
  'role.changed': { role: string; added: readonly string[]; removed: readonly string[] };
  /** `users`: how many had it. */
  'role.deleted': { role: string; users: number };
  'role.granted': { userId: string; role: string };
  'role.revoked': { userId: string; role: string };
  'key.made': { kid: string; algorithm: string };
  /** The first factor of a sign-in was right. The second one was asked for. */
  'session.challenged': { userId: string; strategy: string; ip: string | null | undefined };
  'session.started': {
    userId: string;
    sessionId: string;
    strategy: string;
    ip: string | null | undefined;
  } & ProvenSession;
  /** The session that just started is the first in a network and on a device that the user had not signed in from. */
  'session.new_device': { userId: string; sessionId: string; strategy: string; ip: string | null };
  /** An administrator began to act for the user, in a session that only this event announces. */
  'session.impersonated': {
    userId: string;
    sessionId: string;
    actorId: string;
    actorSessionId: string;
    reason: string;
    ip: string | null | undefined;
  };
  'session.ended': { userId: string; sessionId: string; why: SessionEndReason };
  'session.reauthenticated': { userId: string; sessionId: string } & ProvenSession;
  /** A refresh token was used again long after it had been replaced. The session ended. */
  'session.reused': { userId: string; sessionId: string; ip: string | null | undefined };
  /** A sign-in was refused. Whose it was: see `RefusedAccount`. */
  'session.refused': { strategy: string; ip: string | undefined } & RefusedAccount;
  /**
   * For a network or a session: once while the limit lasts. For an account: for each sign-in that was not tried.
   */
  'limit.reached': { limit: string; ip: string | undefined; sessionId?: string } & RefusedAccount;
  'mail.sent': { mailId: string; template: string };
  /** An operator deleted a mail that was not sent. */
  'mail.dropped': { mailId: string; template: string };
  /** Delivery was given up. */
  'mail.failed': { mailId: string; template: string; why: string };
  /** The end of the audit trail was changed in the database, or its key is lost. `seq`: the last entry that it named. */
  'audit.unproved': { seq: number };
  'webhook.created': { webhookId: string };
  'webhook.updated': { webhookId: string };
  'webhook.deleted': { webhookId: string };
  'webhook.secret_rotated': { webhookId: string };
  'webhook.enabled': { webhookId: string };
  /** `gone`: it answered 410. */
  'webhook.disabled': { webhookId: string; why: 'by_hand' | 'gone' };
  /** Ten attempts have failed, one after the other. */
  'webhook.failing': { webhookId: string };
  'webhook.recovered': { webhookId: string };
  /** The delivery of so many events was given up. */
  'webhook.gave_up': { webhookId: string; deliveries: number };
  'service.created': { serviceId: string };
  'service.updated': { serviceId: string };
  'service.secret_rotated': { serviceId: string };
  'service.deleted': { serviceId: string };
}

/** How the session is proved now. */
interface ProvenSession {
  /** RFC 8176. */
  amr: readonly string[];
  acr: Acr;
  /** When the user last proved what `acr` says. */
  authTime: Date;
}

/** The user, or a keyed digest of the name that was given if no user has it. Neither, if nobody was named. */
interface RefusedAccount {
  userId?: string;
  account?: string;
}

/**
 * `replaced`: the oldest session made room for a new one. `reported`: by the link in the mail about a new device.
 * `actor_gone`: who acted for the user may not do so any more.
 */
export type SessionEndReason =
  | 'signed_out'
  | 'reused'
  | 'replaced'
  | 'reported'
  | 'password_changed'
  | 'user_disabled'
  | 'taken_over'
  | 'password_reset'
  | 'email_restored'
  | 'actor_gone';
