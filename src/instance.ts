import { AsyncLocalStorage } from 'node:async_hooks';
import { createApp, type App } from '#src/app';
import { authenticate, requireFresh, requireRole } from '#src/authentication/guards';
import type { RunningStrategy } from '#src/authentication/wrap';
import type { Context } from '#src/context';
import { openContext, type ContextOptions } from '#src/open-context';
import { hostErrorHandler } from '#src/platform/http/error-handler';
import { startOutboxWorker } from '#src/platform/mail/outbox-worker';
import type { Settings } from '#src/platform/settings/settings';
import type { Sallyport } from '#src/sallyport';
import { serverApi, type ServerApi } from '#src/server-api';
import type { AuthStrategy } from '#src/strategy-kit/strategy';
import { startTasks } from '#src/tasks';

/** An instance, with what only the server program and the tests need. */
export interface Instance extends App {
  readonly ctx: Context;
  readonly running: RunningStrategy;
  readonly auth: Sallyport;
  /** Begins to send the mails in the outbox. */
  startDelivery(): void;
  close(): Promise<void>;
}

interface InstanceOptions extends ContextOptions {
  strategies?: readonly AuthStrategy[] | undefined;
  /** Given the names of the settings of all strategies. Throws for a misspelt one. */
  refuseUnknown?: ((names: string[]) => void) | undefined;
}

export async function openInstance(
  settings: Settings,
  { strategies = [], refuseUnknown, ...options }: InstanceOptions = {},
): Promise<Instance> {
  const ctx = await openContext(settings, options);
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
    const app = await createApp(ctx, { auth: api, running, own: strategies });
    refuseUnknown?.(app.settingNames);
    await startTasks(ctx, app, stops);
    const startDelivery = () => void stops.push(startOutboxWorker(ctx));
    const auth = publicApi(ctx, app, api, close);
    return { ...app, ctx, running, close, startDelivery, auth };
  } catch (error) {
    await close();
    throw error;
  }
}

const publicApi = (
  ctx: Context,
  { router }: App,
  api: ServerApi,
  close: () => Promise<void>,
): Sallyport => ({
  ...api,
  router,
  authenticate: (...given: unknown[]) => {
    if (given.length > 0)
      throw new TypeError('Write auth.authenticate(): it takes nothing, and any bearer opens it');
    return authenticate(ctx);
  },
  requireRole: (...names) => {
    if (names.length === 0 || names.some((name: unknown) => typeof name !== 'string'))
      throw new TypeError("Write auth.requireRole('editor'), or more names: any one of them opens");
    return requireRole(...names);
  },
  requireFresh: (minutes) => requireFresh(ctx, minutes),
  passport: ctx.strategies.passport,
  errorHandler: hostErrorHandler(ctx),
  models: ctx.db.models,
  sequelize: ctx.db.sequelize,
  transaction: (fn) => ctx.db.sequelize.transaction(() => fn()),
  on: (name, listener) => ctx.events.on(name, listener),
  close,
});
