import express, { type Express, type RequestHandler } from 'express';
import { accountRoutes } from '#src/account/routes';
import { adminRoutes } from '#src/admin/routes';
import { apiKeyRoutes } from '#src/api-keys/routes';
import { loadStrategies, type LoadOptions } from '#src/authentication/passport';
import { redirectErrorHandler } from '#src/authentication/redirect-errors';
import { redirectRoutes, strategyRoutes } from '#src/authentication/routes';
import {
  crossOriginOf,
  mountAdapters,
  routesOf,
  type CompatibilityAdapter,
} from '#src/compat/adapter';
import { adaptersOf } from '#src/compat/index';
import { settingsOf } from '#src/authentication/strategy-settings';
import type { Context } from '#src/context';
import { emailPages } from '#src/email/pages';
import { emailRoutes } from '#src/email/routes';
import { federationRoutes, linkRoutes } from '#src/federation/routes';
import { healthRoutes } from '#src/health/routes';
import { keyRoutes } from '#src/keys/routes';
import { passwordPages } from '#src/passwords/pages';
import { passwordRoutes } from '#src/passwords/routes';
import { formBody } from '#src/platform/http/body';
import { docsRoutes } from '#src/platform/http/docs';
import { errorHandler, notFound } from '#src/platform/http/error-handler';
import { mountFormPages } from '#src/platform/http/form-page';
import {
  crossOrigin,
  knownMethods,
  noStore,
  requestContext,
  requestLog,
  securityHeaders,
} from '#src/platform/http/middleware';
import { openapi } from '#src/platform/http/openapi';
import { ownPaths } from '#src/platform/http/own-paths';
import { limitEverything } from '#src/platform/http/rate-limit';
import { mount, refuseOtherMethods, type Route } from '#src/platform/http/route';
import { registrationRoutes } from '#src/registration/routes';
import { sessionRoutes } from '#src/sessions/routes';
import { version } from '#src/version';

export interface App {
  /** Answers everything: what is no route of ours is a 404. */
  app: Express;
  /** Answers the routes of the server and passes on everything else, untouched. */
  router: RequestHandler;
  routes: Route[];
  adapters: CompatibilityAdapter[];
  document: ReturnType<typeof openapi>;
  /** Names of the settings of all strategies, on or off. */
  settingNames: string[];
}

/** The whole server on one screen: which features there are, and what a request passes through. */
export async function createApp(ctx: Context, options: LoadOptions): Promise<App> {
  const fixed: Route[] = [
    ...registrationRoutes(ctx),
    ...sessionRoutes(ctx),
    ...accountRoutes(ctx),
    ...passwordRoutes(ctx),
    ...emailRoutes(ctx),
    ...federationRoutes(ctx),
    ...adminRoutes(ctx),
    ...keyRoutes(ctx),
    ...healthRoutes(ctx),
  ];
  const adapters = adaptersOf(ctx, ctx.settings.dialects);
  await loadStrategies(ctx, { ...options, taken: fixed.map(({ path }) => path) });
  const redirects = redirectRoutes(ctx);
  const own = [...fixed, ...strategyRoutes(ctx), ...linkRoutes(ctx), ...apiKeyRoutes(ctx)];
  const routes = [...own, ...redirects];
  const pages = [...passwordPages(ctx), ...emailPages(ctx)];
  const document = openapi({
    routes: [...routes, ...routesOf(adapters)],
    version,
    settings: ctx.settings,
    securitySchemes: securitySchemes(ctx),
  });

  const app = express()
    .disable('x-powered-by')
    .disable('etag')
    .set('query parser', 'simple')
    .set('trust proxy', ctx.settings.trustProxy);
  app.use(
    requestContext(ctx),
    requestLog(ctx),
    securityHeaders(),
    noStore,
    knownMethods,
    ...crossOriginOf(adapters),
    crossOrigin(ctx),
    limitEverything(ctx),
  );
  mount(app, own);
  mount(app, redirects, formBody, redirectErrorHandler(ctx));
  refuseOtherMethods(app, routes);
  mountAdapters(ctx, app, adapters);
  mountFormPages(ctx, app, pages);
  app.use(docsRoutes(ctx, document));
  app.use(notFound, errorHandler(ctx));
  const isOwn = ownPaths([...routes, ...routesOf(adapters), ...pages].map(({ path }) => path));
  const router: RequestHandler = (req, res, next) =>
    isOwn(req.path) ? app(req, res, next) : next();
  return { app, router, routes, adapters, document, settingNames: strategySettingNames(ctx) };
}

const strategySettingNames = ({ strategies: { on, off } }: Context) =>
  [...on, ...off].flatMap(settingsOf);

const securitySchemes = ({ strategies }: Context) =>
  Object.fromEntries(strategies.on.flatMap(({ name, scheme }) => (scheme ? [[name, scheme]] : [])));
