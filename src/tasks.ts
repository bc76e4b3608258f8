import { exactText } from '#migrations/steps';
import type { Db } from '#models/index';
import { createRole } from '#src/access/roles';
import type { App } from '#src/app';
import type { Context } from '#src/context';
import { tendKeys } from '#src/keys/rotation';
import { purgeTokens } from '#src/one-time-tokens/one-time-tokens';
import { logEvents } from '#src/platform/log-events';
import { every } from '#src/platform/schedule';
import { purgeSessions } from '#src/sessions/purge';
import { purgeSignUps } from '#src/sign-ups/sign-ups';

/**
 * Creates missing roles and keys, sets the clock, opens the store of the limits, and starts the background tasks. What
 * stops them is added to `stops`.
 */
export async function startTasks(
  ctx: Context,
  { adapters }: App,
  stops: (() => unknown)[],
): Promise<void> {
  const { clock, events, limits, log } = ctx;
  stops.push(logEvents(events, log));
  for (const role of adapters.flatMap(({ roles = [] }) => roles)) await createRole(ctx, role);
  await clock.synchronise();
  await tendKeys(ctx);
  await shareCollation(ctx.db);
  stops.push(() => limits.close());
  await limits.open();
  stops.push(
    every(ctx, 30, 'keys', () => tendKeys(ctx)),
    every(ctx, 600, 'purge', () => purge(ctx)),
    every(ctx, 3600, 'clock', () => clock.synchronise()),
  );
}

/** Tables that the app defines compare text as ours do. On MySQL a foreign key to `users` needs that. */
async function shareCollation({ sequelize }: Db): Promise<void> {
  const text = await exactText(sequelize.getQueryInterface());
  sequelize.addHook('beforeDefine', (_attributes, options) => {
    Object.assign(options, { ...text, ...options });
  });
}

/** Deletes expired sessions, tokens, sign-ups and counters. */
async function purge(ctx: Context): Promise<void> {
  await purgeSessions(ctx);
  await purgeTokens(ctx);
  await purgeSignUps(ctx);
  await ctx.limits.purge();
}
