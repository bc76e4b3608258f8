import { migrate } from '#migrations/index';
import { signInPolicies, type SignInPolicy } from '#src/authentication/sign-in-policies';
import { createApiKeyLookUps } from '#src/api-keys/use';
import { createAuditTrail } from '#src/audit/trail';
import { createStrategyHost } from '#src/authentication/strategy-host';
import { createChangeFeed } from '#src/changes/feed';
import { stepFrom } from '#src/changes/place';
import type { Context } from '#src/context';
import type { EventMap } from '#src/events';
import { createHealth } from '#src/health/health';
import { createKeyring } from '#src/keys/keyring';
import { gaugesOf } from '#src/metrics/gauges';
import { createMetrics } from '#src/metrics/metrics';
import { openDatabase } from '#src/open-database';
import { createPasswordDictionaries } from '#src/passwords/password-policy';
import { createClock } from '#src/platform/clock';
import { createPasswordHasher } from '#src/platform/crypto/passwords';
import { createSecrets } from '#src/platform/crypto/secrets';
import { databaseFault } from '#src/platform/database/faults';
import { awaitDatabase, whenReady, type Tell } from '#src/platform/database/wait';
import { createEvents, type ActorKind } from '#src/platform/events';
import { createLook } from '#src/platform/http/look';
import { createLimits } from '#src/platform/limits/limits';
import { createLog, type Log } from '#src/platform/log';
import { standardOutput, type LogOutput } from '#src/platform/log-output';
import { createOutboxSignal } from '#src/platform/mail/outbox';
import { createMessages } from '#src/platform/messages/messages';
import { readTheme } from '#src/platform/theme/read-theme';
import { createRequestContext } from '#src/platform/request-context';
import type { Settings } from '#src/platform/settings/settings';
import type { Traces } from '#src/platform/traces';
import { createServiceLookUps } from '#src/services/use';
import { createVerifiedTokens } from '#src/sessions/access-tokens';
import { createSessionLookUps } from '#src/sessions/find-session';
import { createLastSeenWrites } from '#src/sessions/last-seen';
import { createSessionCache } from '#src/sessions/session-cache';
import { createHandedUser } from '#src/users/handed-user';
import { createWebhookHost } from '#src/webhooks/webhook-host';

export interface ContextOptions {
  /** In place of JSON lines on standard output. */
  log?: Log | undefined;
  /** Where the lines go, in place of standard output. */
  logOutput?: LogOutput | undefined;
  /** Says what is waited for at the start, in place of a line of the log. */
  tell?: Tell | undefined;
  /** Asked after those of the server, before the limit of sessions. */
  signInPolicies?: readonly SignInPolicy[] | undefined;
  /** Who acts outside of requests, for the audit trail. Default: `server`. */
  actorKind?: ActorKind | undefined;
  /** Counts what it does, for Prometheus. */
  metrics?: boolean | undefined;
  /** See `createClock`. */
  aheadMs?: (() => number) | undefined;
  /** Makes spans of what it does. */
  traces?: Traces | undefined;
}

/** A context, and the end of it. */
export type OpenContext = Context & { close(): Promise<void> };

/** An instance without routes: what a command needs. The schema is migrated first. Close it when done. */
export async function openContext(
  settings: Settings,
  options: ContextOptions = {},
): Promise<OpenContext> {
  const ctx = createContext(settings, options);
  try {
    await openSchema(ctx, options.tell);
    return ctx;
  } catch (error) {
    await ctx.close();
    throw error;
  }
}

/**
 * Migrates the schema. A database that is starting is waited for.
 * @throws {StartError} with the remedy
 */
export async function openSchema(
  { audit, settings, db, log }: Context,
  tell?: Tell,
): Promise<void> {
  const { databaseUrl, databaseWait } = settings;
  const say = tell ?? ((line: string) => log.warn({}, line));
  try {
    await awaitDatabase(databaseUrl, databaseWait, say);
    await whenReady(
      () => migrate(databaseUrl),
      databaseWait,
      (reason) => say(`Waiting for the database, at most ${databaseWait} s (${reason})`),
    );
    await audit.open();
    db.commits(); // opens the file for reading now, while nobody writes
  } catch (error) {
    throw databaseFault(error, databaseUrl);
  }
}

/** The same before the schema is migrated. Nothing is connected or read before the first query. */
export function createContext(settings: Settings, options: ContextOptions = {}): OpenContext {
  const theme = readTheme(settings.themeDir);
  const request = createRequestContext();
  const output = options.log ? undefined : (options.logOutput ?? standardOutput());
  const log = options.log ?? createLog(settings.logLevel, request, output!);
  const db = openDatabase(settings.databaseUrl, options.traces);
  const clock = createClock(db.sequelize, options.aheadMs);
  const secrets = createSecrets(settings);
  const limits = createLimits({ settings, db, clock, secrets, log });
  const strategies = createStrategyHost();
  const metrics = options.metrics ? createMetrics() : undefined;
  const parts = { db, clock, secrets, request, log };
  const audit = createAuditTrail(parts, options.actorKind ?? 'server');
  const ctx: Context = {
    settings,
    db,
    clock,
    log,
    request,
    messages: createMessages(theme.messages),
    look: createLook(settings, theme),
    secrets,
    limits,
    strategies,
    audit,
    events: createEvents<EventMap>(audit, log),
    passwords: createPasswordHasher(settings, request, metrics?.hashing),
    dictionaries: createPasswordDictionaries(),
    outbox: createOutboxSignal(),
    webhooks: createWebhookHost(settings),
    changes: createChangeFeed(audit, (from) => stepFrom({ db }, from)),
    keyring: createKeyring(),
    verifiedTokens: createVerifiedTokens(),
    sessionLookUps: createSessionLookUps(db),
    apiKeyLookUps: createApiKeyLookUps(db),
    serviceLookUps: createServiceLookUps(db),
    sessionCache: createSessionCache(),
    lastSeenWrites: createLastSeenWrites(),
    health: createHealth(),
    metrics,
    traces: options.traces,
    handedUser: createHandedUser(),
    signInPolicies: signInPolicies(options.signInPolicies ?? []),
  };
  metrics?.add(...gaugesOf(ctx));
  return {
    ...ctx,
    async close() {
      ctx.changes.close();
      strategies.unload();
      metrics?.close();
      await db.close();
      output?.close();
    },
  };
}
