import { AsyncLocalStorage } from 'node:async_hooks';
import { createApp, type App } from '#src/app';
import {
  authenticate,
  requireAal2,
  requireFresh,
  requireFullAccess,
  requirePermission,
  requireRole,
} from '#src/authentication/guards';
import { onHostRoute } from '#src/authentication/host-route';
import { messageOf } from '#src/authentication/strategy-files';
import { startSealing as startSealingWorker } from '#src/audit/sealing-worker';
import type { RunningStrategy } from '#src/authentication/wrap';
import type { Configuration } from '#src/configuration';
import type { Context } from '#src/context';
import {
  createContext,
  openSchema,
  type ContextOptions,
  type OpenContext,
} from '#src/open-context';
import { hostErrorHandler } from '#src/platform/http/error-handler';
import { createHttpServer } from '#src/platform/http/http-server';
import { refuseWith } from '#src/platform/http/middleware';
import { startOutboxWorker } from '#src/platform/mail/outbox-worker';
import { openTraces } from '#src/platform/traces';
import { SettingsError } from '#src/platform/settings/settings-error';
import type { Sallyport } from '#src/sallyport';
import { serverApi, type ServerApi } from '#src/server-api';
import { operationsApi } from '#src/server-api/operations';
import { purgeOften, startTasks } from '#src/tasks';
import { version } from '#src/version';
import { Permission } from '#src/users/permissions';
import { startWebhookWorker } from '#src/webhooks/worker';

/** An instance, with what only the server program and the tests need. */
export interface Instance extends App {
  readonly ctx: Context;
  readonly running: RunningStrategy;
  readonly auth: Sallyport;
  /** Begins to delete what has expired, every ten minutes. One process of a node is enough. */
  startPurge: () => void;
  /** Begins to seal the entries of the audit trail. */
  startSealing: () => void;
  /** Begins to send the mails in the outbox, and events to webhooks. */
  startDelivery(): void;
  close(): Promise<void>;
}

/**
 * Opens an instance. What is wrong with a strategy is found before the database is created or migrated.
 * @throws {SettingsError}
 */
export async function openInstance(
  configuration: Configuration,
  options: ContextOptions = {},
): Promise<Instance> {
  const traces = options.traces ?? (await openTraces(version));
  const ctx = contextOf(configuration, { ...options, traces });
  const running: RunningStrategy = new AsyncLocalStorage();
  const api = serverApi(ctx);
  const stops: (() => unknown)[] = [];
  let closing: Promise<void> | undefined;
  const close = () =>
    (closing ??= (async () => {
      for (const stop of stops.toReversed()) await stop(); // the last that was started stops first
      await ctx.close();
    })());
  try {
    const app = createApp(ctx, { auth: api, running, files: configuration.strategies.files });
    if (configuration.strategies.hasOwn) await checkDocument(app);
    await openSchema(ctx, options.tell);
    await startTasks(ctx, app, stops);
    const startSealing = () => void stops.push(startSealingWorker(ctx));
    const startDelivery = () => void stops.push(startOutboxWorker(ctx), startWebhookWorker(ctx));
    const startPurge = () => void stops.push(purgeOften(ctx));
    const auth = publicApi(ctx, app, api, close);
    return { ...app, ctx, running, close, startPurge, startSealing, startDelivery, auth };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Strategies of one's own may have a schema that the document cannot hold. Who wrote them hears it at the start. */
async function checkDocument({ document }: App): Promise<void> {
  try {
    await document();
  } catch (error) {
    throw new SettingsError([`The OpenAPI document cannot be made: ${messageOf(error)}`]);
  }
}

function contextOf({ settings, strategies }: Configuration, options: ContextOptions): OpenContext {
  try {
    const metrics = options.metrics ?? settings.metricsPort !== undefined;
    const ctx = createContext(settings, { ...options, metrics });
    ctx.strategies.onUnload(strategies.release);
    return ctx;
  } catch (error) {
    strategies.release();
    throw error;
  }
}

/** An app without TypeScript may give anything. A guard that is not called gets the request. */
function checkMinutes(right: string, minutes: unknown): number {
  if (typeof minutes === 'number' && minutes > 0) return minutes;
  throw new TypeError(`Write auth.${right}: a number of minutes`);
}

const publicApi = (
  ctx: Context,
  { app, router }: App,
  api: ServerApi,
  close: () => Promise<void>,
): Sallyport => ({
  ...api,
  ...operationsApi(ctx),
  router,
  createServer: (listener) => createHttpServer(listener, refuseWith(app)),
  authenticate: (...given: unknown[]) => {
    if (given.length > 0)
      throw new TypeError('Write auth.authenticate(): it takes nothing, and any bearer opens it');
    return authenticate(ctx, { toActors: true });
  },
  requireRole: (...names) => {
    if (names.length === 0 || names.some((name: unknown) => typeof name !== 'string'))
      throw new TypeError("Write auth.requireRole('editor'), or more names: any one of them opens");
    return onHostRoute(ctx, requireRole(...names));
  },
  requirePermission: (...names) => {
    if (names.length === 0 || !names.every((name) => Permission.safeParse(name).success))
      throw new TypeError(
        "Write auth.requirePermission('invoices:read'), or more of them: all are needed",
      );
    return onHostRoute(ctx, requirePermission(...names));
  },
  requireFullAccess: (...given: unknown[]) => {
    if (given.length > 0) throw new TypeError('Write auth.requireFullAccess(): it takes nothing');
    return onHostRoute(ctx, requireFullAccess);
  },
  requireFresh: (minutes) =>
    onHostRoute(ctx, requireFresh(ctx, checkMinutes('requireFresh(5)', minutes))),
  requireAal2: (...[minutes]) => {
    if (minutes !== undefined) checkMinutes('requireAal2(), or auth.requireAal2(5)', minutes);
    return onHostRoute(ctx, requireAal2(ctx, minutes));
  },
  passport: ctx.strategies.passport,
  errorHandler: hostErrorHandler(ctx),
  models: ctx.db.models,
  sequelize: ctx.db.sequelize,
  transaction: (fn) => ctx.db.sequelize.transaction(() => fn()),
  metrics: async () => (await ctx.metrics?.text()) ?? '',
  on: (name, listener) => ctx.events.on(name, listener),
  close,
});
