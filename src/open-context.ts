import { migrate } from '#migrations/index';
import { signInPolicies, type SignInPolicy } from '#src/authentication/sign-in-policies';
import { createStrategyHost } from '#src/authentication/strategy-host';
import type { Context } from '#src/context';
import type { EventMap } from '#src/events';
import { createHealth } from '#src/health/health';
import { createKeyring } from '#src/keys/keyring';
import { openDatabase } from '#src/open-database';
import { createPasswordDictionaries } from '#src/passwords/password-policy';
import { createClock } from '#src/platform/clock';
import { createPasswordHasher } from '#src/platform/crypto/passwords';
import { createSecrets } from '#src/platform/crypto/secrets';
import { createEvents } from '#src/platform/events';
import { createLimits } from '#src/platform/limits/limits';
import { createLog, standardOutput, type Log, type LogOutput } from '#src/platform/log';
import { createOutboxSignal } from '#src/platform/mail/outbox';
import { createRequestContext } from '#src/platform/request-context';
import type { Settings } from '#src/platform/settings/settings';
import { createVerifiedTokens } from '#src/sessions/access-tokens';
import { createLastSeenWrites } from '#src/sessions/last-seen';
import { createSessionCache } from '#src/sessions/session-cache';

export interface ContextOptions {
  /** In place of JSON lines on standard output. */
  log?: Log | undefined;
  /** Where the lines go, in place of standard output. */
  logOutput?: LogOutput | undefined;
  /** Asked after those of the server, before the limit of sessions. */
  signInPolicies?: readonly SignInPolicy[] | undefined;
}

/** An instance without routes: what a command needs. The schema is migrated first. Close it when done. */
export async function openContext(
  settings: Settings,
  options: ContextOptions = {},
): Promise<Context & { close(): Promise<void> }> {
  await migrate(settings.databaseUrl);
  const request = createRequestContext();
  const output = options.log ? undefined : (options.logOutput ?? standardOutput());
  const log = options.log ?? createLog(settings.logLevel, request, output!);
  const db = openDatabase(settings.databaseUrl);
  const clock = createClock(db.sequelize);
  const secrets = createSecrets(settings);
  const limits = createLimits({ settings, db, clock, secrets, log });
  const strategies = createStrategyHost();
  const ctx: Context = {
    settings,
    db,
    clock,
    log,
    request,
    secrets,
    limits,
    strategies,
    events: createEvents<EventMap>(db.afterCommit, log),
    passwords: createPasswordHasher(settings, request),
    dictionaries: createPasswordDictionaries(),
    outbox: createOutboxSignal(),
    keyring: createKeyring(),
    verifiedTokens: createVerifiedTokens(),
    sessionCache: createSessionCache(),
    lastSeenWrites: createLastSeenWrites(),
    health: createHealth(),
    signInPolicies: signInPolicies(options.signInPolicies ?? []),
  };
  return {
    ...ctx,
    async close() {
      strategies.unload();
      await db.close();
      output?.close();
    },
  };
}
