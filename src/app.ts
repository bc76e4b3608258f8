import { createRequire } from 'node:module';
import express, { type Express } from 'express';
import admin from '#src/admin/routes';
import { apiKeyRoutes } from '#src/api-keys/routes';
import { config, unknownSettings } from '#src/config';
import { SettingsError } from '#src/core/settings-error';
import { dialectsOf } from '#src/dialects/index';
import type { Tutorial } from '#src/dialects/words';
import { pages } from '#src/docs/routes';
import { crossOriginOf, mountDialects, routesOf } from '#src/http/dialect';
import { limitAnything } from '#src/http/limits';
import { openapi } from '#src/http/openapi';
import { loadStrategies, type Loaded } from '#src/http/passport';
import { settingsOf } from '#src/http/strategy-settings';
import { mountRedirects } from '#src/http/redirects';
import { notFound, renderProblem } from '#src/http/render-problem';
import { mount, refuseOtherMethods, type Route } from '#src/http/route';
import { crossOrigin, knownMethods, noStore, requestContext, requestLog, securityHeaders } from '#src/http/security';
import keys from '#src/keys/routes';
import identities, { linkRoutes } from '#src/identities/routes';
import { userOf } from '#src/identities/user-of';
import { recoveryPages } from '#src/recovery/pages';
import recovery from '#src/recovery/routes';
import health from '#src/observability/routes';
import sessions from '#src/sessions/routes';
import { redirectRoutes, strategyRoutes } from '#src/strategies/routes';
import users from '#src/users/routes';

const { version } = createRequire(import.meta.url)('#package') as { version: string };

export interface App {
  app: Express;
  routes: Route[];
  dialects: Tutorial[];
  document: ReturnType<typeof openapi>;
  strategies: Loaded;
}

/** The whole server on one screen: which features there are, and what a request passes through. */
export async function createApp(): Promise<App> {
  const dialects = dialectsOf(config.DIALECTS);
  const fixed: Route[] = [...users, ...sessions, ...identities, ...recovery, ...admin, ...keys, ...health];
  const strategies = await loadStrategies({ userOf, taken: fixed.map(({ path }) => path) });
  const unknown = unknownSettings([...strategies.on, ...strategies.off].flatMap(settingsOf));
  if (unknown.length > 0) throw new SettingsError(unknown);

  const redirects = redirectRoutes(strategies);
  const own = [...fixed, ...strategyRoutes(strategies), ...linkRoutes(strategies), ...apiKeyRoutes(strategies)];
  const routes: Route[] = [...own, ...redirects];
  const schemes = Object.fromEntries(strategies.on.flatMap(({ name, scheme }) => (scheme ? [[name, scheme]] : [])));
  const document = openapi([...routes, ...routesOf(dialects)], version, config.PUBLIC_URL, schemes);

  const app = express().disable('x-powered-by').disable('etag').set('query parser', 'simple').set('trust proxy', config.TRUST_PROXY);
  app.use(requestContext, requestLog, securityHeaders, noStore, knownMethods, ...crossOriginOf(dialects), crossOrigin, limitAnything);
  mount(app, own);
  mountRedirects(app, redirects);
  refuseOtherMethods(app, routes);
  mountDialects(app, dialects);
  app.use(recoveryPages(), pages(document));
  app.use(notFound, renderProblem);
  return { app, routes, dialects, document, strategies };
}
