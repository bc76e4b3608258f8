import { exactText } from '#migrations/steps';
import type { Db } from '#models/index';
import { createRole } from '#src/access/roles';
import type { App } from '#src/app';
import { purgeAudit } from '#src/audit/purge';
import type { Context } from '#src/context';
import { sealFactorsAgain } from '#src/factors/totp';
import { purgeInvitations } from '#src/invitations/list';
import { tendKeys } from '#src/keys/rotation';
import { purgeTokens } from '#src/one-time-tokens/purge';
import { logEvents } from '#src/platform/log-events';
import { loadRedisLibrary } from '#src/platform/limits/redis-store';
import { loadMailLibrary } from '#src/platform/mail/transport';
import { every } from '#src/platform/schedule';
import { startRevocations } from '#src/provider-grants/revoke-grants';
import { purgeSessions } from '#src/sessions/purge';
import { purgeSignUps } from '#src/sign-ups/sign-ups';
import { purgeDeliveries } from '#src/webhooks/give-up';
import { sealWebhookSecretsAgain } from '#src/webhooks/secrets';

/**
 * Creates missing roles and keys, sets the clock, opens the store of the limits, and starts the background tasks. What
 * stops them is added to `stops`.
 */
export async function startTasks(
  ctx: Context,
  { adapters }: App,
  stops: (() => unknown)[],
): Promise<void> {
  const { clock, events, limits, log, settings } = ctx;
  stops.push(logEvents(events, log));
  const names = () => ctx.strategies.on.map(({ name }) => name);
  if (ctx.metrics) stops.push(ctx.metrics.listenTo(events, names));
  for (const role of adapters.flatMap(({ roles = [] }) => roles)) await createRole(ctx, role);
  await clock.synchronise();
  await tendKeys(ctx);
  await shareCollation(ctx.db);
  await loadWhatIsOn(ctx);
  stops.push(() => limits.close());
  void limits.open(); // the server does not wait for Redis
  stops.push(
    every(ctx, 30, 'keys', () => tendKeys(ctx)),
    every(ctx, 3600, 'clock', () => clock.synchronise()),
  );
  if (settings.appSecretPrevious !== undefined)
    stops.push(
      every(ctx, 600, 'factors', () => sealFactorsAgain(ctx)),
      every(ctx, 600, 'webhook secrets', () => sealWebhookSecretsAgain(ctx)),
    );
  if (ctx.strategies.on.some((strategy) => 'revoke' in strategy)) stops.push(startRevocations(ctx));
}

/** Loads the libraries of what is on, so that no request waits for one. The others are never loaded. */
async function loadWhatIsOn({
  settings,
  strategies,
  dictionaries,
  metrics,
}: Context): Promise<void> {
  await Promise.all([
    ...strategies.on.map((strategy) => strategy.load?.()),
    settings.smtpUrl !== undefined && loadMailLibrary(),
    settings.redisUrl !== undefined && loadRedisLibrary(),
    metrics?.load(),
    settings.passwordMinScore > 0 && dictionaries.scorer(),
  ]);
}

/** Tables that the app defines compare text as ours do. On MySQL a foreign key to `users` needs that. */
async function shareCollation({ sequelize }: Db): Promise<void> {
  const text = await exactText(sequelize.getQueryInterface());
  sequelize.addHook('beforeDefine', (_attributes, options) => {
    Object.assign(options, { ...text, ...options });
  });
}

/** Purges every ten minutes. Call the answer to stop. */
export const purgeOften = (ctx: Context): (() => Promise<void>) =>
  every(ctx, 600, 'purge', (stopped) => purge(ctx, stopped));

/**
 * Deletes expired sessions, tokens, sign-ups, invitations, deliveries and counters, and old entries of the audit trail.
 */
async function purge(ctx: Context, stopped: AbortSignal): Promise<void> {
  await purgeSessions(ctx, stopped);
  await purgeTokens(ctx, stopped);
  await purgeSignUps(ctx, stopped);
  await purgeAudit(ctx, stopped);
  await purgeDeliveries(ctx, stopped);
  await purgeInvitations(ctx, stopped);
  await ctx.limits.purge(stopped);
}
