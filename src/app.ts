import express, { Router, type Express, type RequestHandler } from 'express';
import { accountRoutes } from '#src/account/routes';
import { adminRoutes } from '#src/admin/routes';
import { auditRoutes } from '#src/audit/routes';
import { adminUserRoutes } from '#src/admin/user-routes';
import { apiKeyRoutes } from '#src/api-keys/routes';
import { SERVICE_SCHEME } from '#src/authentication/authenticate-service';
import { loadStrategies, type LoadOptions } from '#src/authentication/passport';
import { linkPages } from '#src/authentication/pages';
import { reauthenticateRoutes } from '#src/authentication/reauthenticate-routes';
import { redirectErrorHandler } from '#src/authentication/redirect-errors';
import { redirectRoutes } from '#src/authentication/redirect-routes';
import { strategyRoutes } from '#src/authentication/routes';
import { secondFactorRoutes } from '#src/authentication/second-factor-routes';
import {
  crossOriginOf,
  mountAdapters,
  routesOf,
  type CompatibilityAdapter,
} from '#src/compat/adapter';
import { adaptersOf } from '#src/compat/index';
import { changeRoutes } from '#src/changes/routes';
import { claimedBy } from '#src/authentication/signed-in';
import type { Context } from '#src/context';
import { emailPages } from '#src/email/pages';
import { emailRoutes } from '#src/email/routes';
import { factorRoutes } from '#src/factors/routes';
import { federationRoutes, linkRoutes } from '#src/federation/routes';
import { linkFlowOf } from '#src/hosted/flow';
import { mountHostedPages } from '#src/hosted/page';
import { hostedPages } from '#src/hosted/pages';
import { healthRoutes } from '#src/health/routes';
import { invitationPages } from '#src/invitations/pages';
import { invitationRoutes } from '#src/invitations/routes';
import { impersonationRoutes } from '#src/impersonation/routes';
import { keyRoutes } from '#src/keys/routes';
import { authorizeRoutes } from '#src/oauth/authorize-routes';
import { oauthErrorHandler, omitEmpty } from '#src/oauth/errors';
import { metadataRoutes } from '#src/oauth/metadata-routes';
import { answerTooLarge, oauthRoutes } from '#src/oauth/routes';
import { tokenRoutes } from '#src/oauth/token-routes';
import { operationRoutes } from '#src/operations/routes';
import { passwordPages } from '#src/passwords/pages';
import { passwordRoutes } from '#src/passwords/routes';
import { passkeyRoutes } from '#src/passkeys/routes';
import { formBody, smallFormBody } from '#src/platform/http/body';
import { ignoreForwarded } from '#src/platform/http/client-ip';
import { assetPaths, assetRoutes, readManifest, scriptsOf } from '#src/platform/http/assets';
import { addDefaultHeaders } from '#src/platform/http/default-headers';
import { docsRoutes, DOCS_PATHS } from '#src/platform/http/docs';
import { notFound } from '#src/platform/http/error-handler';
import { everybodysErrorHandler } from '#src/platform/http/page-error';
import { frontPage, frontPaths, frontRoutes } from '#src/platform/http/front';
import { mountFormPages } from '#src/platform/http/form-page';
import {
  crossOrigin,
  requestContext,
  requestLog,
  securityHeaders,
  unlessAnswered,
  wellFormed,
  wellFormedPreflight,
} from '#src/platform/http/middleware';
import type { OpenApiDocument } from '#src/platform/http/openapi';
import { ownPaths } from '#src/platform/http/own-paths';
import { limitEverything } from '#src/platform/http/limit-everything';
import { lazy } from '#src/platform/lazy';
import { mount, refuseOtherMethods, type Route } from '#src/platform/http/route';
import { screenPaths, screenRoutes } from '#src/platform/http/screens';
import { straight } from '#src/platform/http/straight';
import { together } from '#src/platform/http/together';
import { registrationRoutes } from '#src/registration/routes';
import { roleRoutes } from '#src/roles/routes';
import { serviceRoutes } from '#src/services/routes';
import { sessionPages } from '#src/sessions/pages';
import { withRefreshCookie } from '#src/sessions/refresh-cookie';
import { sessionRoutes } from '#src/sessions/routes';
import { bodySchemas } from '#src/webhooks/catalogue';
import { deliveryRoutes } from '#src/webhooks/delivery-routes';
import { webhookRoutes } from '#src/webhooks/routes';
import { wellKnownRoutes } from '#src/well-known/routes';
import { version } from '#src/version';

export interface App {
  /** Answers everything: what is no route of ours is a 404. */
  app: Express;
  /** Answers the routes of the server and passes on everything else, untouched. */
  router: RequestHandler;
  routes: Route[];
  adapters: CompatibilityAdapter[];
  /** The OpenAPI document. It is made when somebody asks for it: that takes time, and memory for ever. */
  document: () => Promise<OpenApiDocument>;
}

/** The whole server on one screen: which features there are, and what a request passes through. */
export function createApp(ctx: Context, options: LoadOptions): App {
  const fixed: Route[] = [
    ...registrationRoutes(ctx),
    ...sessionRoutes(ctx),
    ...accountRoutes(ctx),
    ...passwordRoutes(ctx),
    ...emailRoutes(ctx),
    ...federationRoutes(ctx),
    ...secondFactorRoutes(ctx),
    ...reauthenticateRoutes(ctx),
    ...passkeyRoutes(ctx), // before `/me/factors/:id`
    ...factorRoutes(ctx),
    ...adminRoutes(ctx),
    ...roleRoutes(ctx),
    ...auditRoutes(ctx),
    ...webhookRoutes(ctx),
    ...deliveryRoutes(ctx),
    ...serviceRoutes(ctx),
    ...adminUserRoutes(ctx),
    ...invitationRoutes(ctx),
    ...operationRoutes(ctx),
    ...impersonationRoutes(ctx),
    ...changeRoutes(ctx),
    ...keyRoutes(ctx),
    ...healthRoutes(ctx),
    ...wellKnownRoutes(ctx),
    ...metadataRoutes(ctx),
  ];
  const adapters = adaptersOf(ctx, ctx.settings.dialects);
  loadStrategies(ctx, { ...options, taken: fixed.map(({ path }) => path) });
  const redirects = [...redirectRoutes(ctx), ...authorizeRoutes(ctx)];
  const own = [...fixed, ...strategyRoutes(ctx), ...linkRoutes(ctx), ...apiKeyRoutes(ctx)].map(
    withRefreshCookie(ctx),
  );
  const oauth = [...oauthRoutes(ctx), ...tokenRoutes(ctx)];
  const routes = [...own, ...redirects, ...oauth];
  const pages = [
    ...passwordPages(ctx),
    ...emailPages(ctx),
    ...sessionPages(ctx),
    ...invitationPages(ctx),
    ...linkPages(ctx),
  ];
  const hosted = hostedPages(ctx);
  const document = lazy(async () => {
    const { openapi } = await import('#src/platform/http/openapi');
    return openapi({
      routes: [...routes, ...routesOf(adapters)],
      version,
      settings: ctx.settings,
      webhooks: bodySchemas(),
      securitySchemes: Object.fromEntries([
        ...ctx.strategies.schemes,
        [SERVICE_SCHEME.name, SERVICE_SCHEME.scheme],
      ]),
    });
  });

  const manifest = readManifest();
  const app = express()
    .disable('x-powered-by')
    .disable('etag')
    .set('query parser', 'simple')
    .set('trust proxy', ctx.settings.trustProxy);
  ignoreForwarded(app, ctx.settings);
  addDefaultHeaders(app.response);
  const ours = Router();
  mount(ours, own);
  mount(ours, redirects, formBody, redirectErrorHandler(ctx));
  mount(ours, oauth, [...smallFormBody, omitEmpty], answerTooLarge, oauthErrorHandler(ctx));
  refuseOtherMethods(ours, routes);
  const entry = together(
    ...(ctx.traces ? [ctx.traces.request] : []),
    requestContext(ctx),
    requestLog(ctx),
    securityHeaders(),
    wellFormedPreflight,
    ...crossOriginOf(adapters),
    crossOrigin(ctx),
    limitEverything(ctx, (req, verify) => claimedBy(ctx, req, verify)),
    wellFormed,
    straight(ours),
  );
  app.use(entry, ours, unlessAnswered);
  app.use(frontPage(ctx), unlessAnswered);
  mountAdapters(ctx, app, adapters);
  const scripts = scriptsOf(ctx.settings, manifest, 'sign-in');
  mountFormPages(ctx, app, pages, { scripts, flowOf: (req) => linkFlowOf(ctx, req) });
  mountHostedPages(ctx, app, hosted, scripts);
  app.use(docsRoutes(ctx, document), unlessAnswered);
  app.use(frontRoutes(ctx.settings), unlessAnswered);
  app.use(assetRoutes(manifest), screenRoutes(ctx, manifest), unlessAnswered);
  app.use(notFound, everybodysErrorHandler(ctx));
  const named = [...routes, ...routesOf(adapters), ...pages, ...hosted].map(({ path }) => path);
  const screens = [...assetPaths(manifest), ...screenPaths(ctx.settings, manifest)];
  const paths = [...named, ...frontPaths(ctx.settings), ...screens];
  ctx.metrics?.declareRoutes([...paths, '/', '/favicon.ico', ...DOCS_PATHS]);
  const isOwn = ownPaths(paths);
  const router: RequestHandler = (req, res, next) =>
    isOwn(req.path) ? app(req, res, next) : next();
  return { app, router, routes, adapters, document };
}
