import type { Request, Response } from 'express';
import { z } from 'zod';
import { authenticateWith } from '#src/authentication/authenticate-with';
import {
  authorizationRequestOf,
  callback,
  departureOf,
  prepare,
} from '#src/authentication/authorization-request';
import { SIGN_IN } from '#src/authentication/limits';
import { endAtHostedPage } from '#src/authentication/code-for-app';
import { transientRefusal } from '#src/authentication/redirect-errors';
import { appParameters, withQuery } from '#src/authentication/redirect-uri';
import { ofKind, pascalCase } from '#src/authentication/routes';
import type { Context } from '#src/context';
import type { Identity } from '#src/authentication/sign-in';
import { issueAuthorizationCode } from '#src/federation/authorization-code';
import { CODE } from '#src/one-time-tokens/limits';
import { Problem } from '#src/platform/http/problem';
import { LOCALES } from '#src/platform/messages/locales';
import { hitsFor, limit } from '#src/platform/http/rate-limit';
import { get, guard, post, type Route } from '#src/platform/http/route';
import type { Settings } from '#src/platform/settings/settings';
import { ClientId } from '#src/strategy-kit/app-request';
import { authorizationParameterNames, pathOf } from '#src/strategy-kit/contract';
import type { AuthorizationParameter, AuthStrategy } from '#src/strategy-kit/strategy';

/** What an app may ask of a sign-in at the provider (OpenID Connect Core §3.1.2.1), if the strategy passes it on. */
const Parameters = {
  prompt: z
    .string()
    .max(64)
    .regex(
      /^(none|(login|consent|select_account|create)( (login|consent|select_account|create))*)$/,
    )
    .meta({
      description: '`login`, `consent`, `select_account`, `create`, several of them, or `none`.',
    }),
  login_hint: z
    .string()
    .regex(/^\P{Cc}{1,256}$/u)
    .meta({ description: 'Who is probably going to sign in: a name or an address.' }),
  acr_values: z.string().regex(/^[\x20-\x7e]{1,256}$/),
  ui_locales: z
    .string()
    .max(128)
    .regex(/^[A-Za-z0-9-]+( [A-Za-z0-9-]+)*$/)
    .meta({ description: 'Languages of the pages of the provider, such as `de-CH de`.' }),
  max_age: z
    .string()
    .regex(/^\d{1,9}$/)
    .transform(Number)
    .meta({ description: 'The user must have signed in there in the last so many seconds.' }),
} satisfies Record<AuthorizationParameter, z.ZodType>;

const Start = ({ settings }: Context, { authorizationParameters = [] }: AuthStrategy) =>
  z.strictObject({
    ...parametersOf(authorizationParameters),
    ...appParameters(settings),
    clientId: ClientId.optional().meta({
      description: 'Set by `GET /oauth/authorize`. The code is then for `POST /oauth/token` only.',
    }),
    ...hostedMembers(settings),
  });

const HostedLocale = z.enum(LOCALES).optional().meta({
  description:
    'Set by the page `/sign-in`: its language. A page then asks for a second factor, and the code stands for it.',
});
/** Where there is such a page. */
const hostedMembers = ({ hostedPages }: Settings) =>
  (hostedPages.includes('sign-in') ? { hostedLocale: HostedLocale } : {}) as {
    hostedLocale: typeof HostedLocale;
  };

/** Those of the parameters that the strategy passes on. Any other is refused. */
const parametersOf = (names: readonly AuthorizationParameter[]) =>
  Object.fromEntries(names.map((name) => [name, Parameters[name].optional()])) as {
    [name in AuthorizationParameter]: z.ZodOptional<(typeof Parameters)[name]>;
  };

/** The options that Passport strategies take: `login_hint` becomes `loginHint`. */
const optionsOf = (query: { [name in AuthorizationParameter]?: unknown }) =>
  Object.fromEntries(
    authorizationParameterNames
      .filter((name) => query[name] !== undefined)
      .map((name) => [camelCase(name), query[name]]),
  );
const camelCase = (name: string) =>
  name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** What providers send back. Each member once: libraries fail on lists. */
const Returned = z.object({}).catchall(z.string('Give it once')).meta({ id: 'ProviderResponse' });

/** For each strategy of kind `redirect`: the start and the callback. People see these, so failures become pages. */
export const redirectRoutes = (ctx: Context): Route[] =>
  ofKind(ctx, 'redirect').flatMap((strategy) => [
    startRoute(ctx, strategy),
    callbackRoute(ctx, strategy),
  ]);

const startRoute = (ctx: Context, strategy: AuthStrategy) =>
  get(
    pathOf(strategy),
    [refuseHead, departs(strategy), limit(ctx, SIGN_IN)],
    {
      operationId: `start${pascalCase(strategy.name)}`,
      tag: 'Authentication',
      summary: strategy.summary,
      description:
        'For a browser, not for fetch. It comes back to `redirectUri` with `code` and `state`, or with `error`, a code of these problems. Take the code to `POST /auth/exchange`.',
      query: Start(ctx, strategy),
      status: 302,
      problems: ['access_denied', 'interaction_required', 'server_error', 'unavailable'],
    },
    async (_req, res) => {
      const { options } = departureOf(res.req)!;
      if (await authenticateWith(ctx, strategy.name, res.req, res, options))
        throw new Problem('access_denied');
    },
  );

/** These change something: a program that only looks at a link must not use it up. */
export const refuseHead = guard({ problems: ['method_not_allowed'] }, ({ method }, _res, next) => {
  if (method !== 'HEAD') return next();
  throw new Problem('method_not_allowed', { headers: { Allow: 'GET' } });
});

/** From here on the app is told what goes wrong: its redirect URI is one of ours. */
const departs = (strategy: AuthStrategy) =>
  guard({}, (req, _res, next) => {
    const query = req.query as unknown as z.output<ReturnType<typeof Start>>;
    prepare(req, strategy.name, query, isFormPost(strategy), optionsOf(query));
    next();
  });

const callbackRoute = (ctx: Context, strategy: AuthStrategy) => {
  const path = `${pathOf(strategy)}/callback`;
  const guards = [refuseHead, limit(ctx, CODE)] as const;
  const spec = {
    operationId: `finish${pascalCase(strategy.name)}`,
    tag: 'Authentication',
    summary: `Where ${strategy.name} sends the browser back to`,
    status: 303,
    problems: [
      'invalid_state',
      'access_denied',
      'interaction_required',
      'server_error',
      'unavailable',
    ] as const,
  } as const;
  const handler = (req: object, res: Response) => finish(ctx, strategy, req as Request, res);
  return isFormPost(strategy)
    ? post(path, guards, { ...spec, body: Returned, form: true }, handler)
    : get(path, guards, { ...spec, query: Returned }, handler);
};

const isFormPost = ({ responseMode }: AuthStrategy) => responseMode === 'form_post';

async function finish(ctx: Context, strategy: AuthStrategy, req: Request, res: Response) {
  await callback(ctx, req, strategy.name, isFormPost(strategy));
  const refusal = transientRefusal((isFormPost(strategy) ? req.body : req.query) as object);
  if (refusal) throw refusal;
  const identity = await authenticateWith(ctx, strategy.name, req, res);
  if (!identity) throw new Problem('access_denied');
  if (ctx.settings.limits === 'on') await ctx.limits.takeBack(hitsFor(ctx, req, SIGN_IN)); // of its start
  res.setHeader('Location', await endOf(ctx, req, strategy, identity));
}

async function endOf(ctx: Context, req: Request, { name }: AuthStrategy, identity: Identity) {
  const request = authorizationRequestOf(req)!;
  const { redirectUri, codeChallenge, state, clientId, hostedLocale } = request;
  if (hostedLocale && clientId === undefined)
    return endAtHostedPage(ctx, req, identity, name, { ...request, hostedLocale });
  const client = { clientId, redirectUri };
  const code = await issueAuthorizationCode(ctx, name, identity, codeChallenge, client);
  return withQuery(redirectUri, { code, state });
}
