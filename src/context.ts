import type { Db } from '#models/index';
import type { ApiKeyLookUps } from '#src/api-keys/use';
import type { AuditTrail } from '#src/audit/trail';
import type { StrategyHost } from '#src/authentication/strategy-host';
import type { SignInPolicy } from '#src/authentication/sign-in-policies';
import type { ChangeFeed } from '#src/changes/feed';
import type { EventMap } from '#src/events';
import type { Health } from '#src/health/health';
import type { Keyring } from '#src/keys/keyring';
import type { Metrics } from '#src/metrics/metrics';
import type { PasswordDictionaries } from '#src/passwords/password-policy';
import type { Clock } from '#src/platform/clock';
import type { PasswordHasher } from '#src/platform/crypto/passwords';
import type { Secrets } from '#src/platform/crypto/secrets';
import type { Events } from '#src/platform/events';
import type { Look } from '#src/platform/http/look';
import type { Limits } from '#src/platform/limits/limits';
import type { Log } from '#src/platform/log';
import type { OutboxSignal } from '#src/platform/mail/outbox';
import type { Messages } from '#src/platform/messages/messages';
import type { RequestContext } from '#src/platform/request-context';
import type { Settings } from '#src/platform/settings/settings';
import type { Traces } from '#src/platform/traces';
import type { VerifiedTokens } from '#src/sessions/access-tokens';
import type { SessionLookUps } from '#src/sessions/find-session';
import type { ServiceLookUps } from '#src/services/use';
import type { LastSeenWrites } from '#src/sessions/last-seen';
import type { SessionCache } from '#src/sessions/session-cache';
import type { HandedUser } from '#src/users/handed-user';
import type { WebhookHost } from '#src/webhooks/webhook-host';

/**
 * One instance of the server: everything that a use-case may need to know or to remember. It is the first argument of
 * every use-case. No module keeps state of its own, so two instances in one process share no state.
 */
export interface Context {
  readonly settings: Settings;
  /** The models of this instance, and its transactions. */
  readonly db: Db;
  readonly clock: Clock;
  readonly log: Log;
  readonly events: Events<EventMap>;
  /** Where the events are stored. */
  readonly audit: AuditTrail;
  /** What is known of the request that is being answered. */
  readonly request: RequestContext;
  /** The texts of pages and mails, in every language. */
  readonly messages: Messages;
  /** What stands around the content of every page. */
  readonly look: Look;
  readonly secrets: Secrets;
  readonly passwords: PasswordHasher;
  readonly dictionaries: PasswordDictionaries;
  readonly limits: Limits;
  readonly outbox: OutboxSignal;
  readonly webhooks: WebhookHost;
  /** Other services that wait for changes. */
  readonly changes: ChangeFeed;
  readonly keyring: Keyring;
  readonly verifiedTokens: VerifiedTokens;
  readonly sessionLookUps: SessionLookUps;
  readonly apiKeyLookUps: ApiKeyLookUps;
  readonly serviceLookUps: ServiceLookUps;
  readonly sessionCache: SessionCache;
  readonly lastSeenWrites: LastSeenWrites;
  readonly strategies: StrategyHost;
  readonly handedUser: HandedUser;
  readonly health: Health;
  /** Undefined while METRICS_PORT is not set. */
  readonly metrics: Metrics | undefined;
  /** Undefined unless the operator has started an OpenTelemetry SDK. */
  readonly traces: Traces | undefined;
  /** Asked in this order before a session is started. See `authentication/sign-in-policies`. */
  readonly signInPolicies: readonly SignInPolicy[];
}
