import type { Request, Response } from 'express';
import { z } from 'zod';
import { authenticateWith } from '#src/authentication/authenticate-with';
import {
  authorizationRequestOf,
  callback,
  prepare,
} from '#src/authentication/authorization-request';
import { identify } from '#src/authentication/guards';
import { SIGN_IN } from '#src/authentication/limits';
import { runStep } from '#src/authentication/run-step';
import { isRedirectUri, withQuery } from '#src/authentication/redirect-uri';
import { signIn } from '#src/authentication/sign-in';
import { pathOf, stepPathOf } from '#src/strategy-kit/contract';
import type { Context } from '#src/context';
import { CodeChallenge, issueAuthorizationCode } from '#src/federation/authorization-code';
import { CODE } from '#src/one-time-tokens/limits';
import { clientIp } from '#src/platform/http/client-ip';
import { networkOf } from '#src/platform/http/network';
import { Problem } from '#src/platform/http/problem';
import { limit } from '#src/platform/http/rate-limit';
import { get, post, type Route } from '#src/platform/http/route';
import { limitClass } from '#src/platform/limits/limits';
import { deviceOf } from '#src/sessions/device';
import { Tokens } from '#src/sessions/schemas';
import type { DeviceInput } from '#src/strategy-kit/device-input';
import type { AuthStrategy, StrategyStep } from '#src/strategy-kit/strategy';

const tag = 'Authentication';
const ofKind = (ctx: Context, kind: AuthStrategy['kind']) =>
  ctx.strategies.on.filter((strategy) => strategy.kind === kind);
/** `email-code` becomes `EmailCode`, for an operationId. */
const pascalCase = (name: string) =>
  name.replaceAll(/(?:^|[-_]+)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

const ListedStrategy = z
  .object({
    name: z.string().meta({ example: 'github' }),
    kind: z.enum(['login', 'redirect', 'bearer']).meta({
      description:
        '`login`: send JSON to `url`. `redirect`: send the browser to `url`. `bearer`: sent with every request.',
    }),
    summary: z.string(),
    url: z.string().nullable().meta({ description: 'Null for `bearer`.' }),
  })
  .meta({ id: 'Strategy' });

/** A sign-in route and its steps for each strategy of kind `login`, and the list of strategies. */
export const strategyRoutes = (ctx: Context): Route[] => [
  get(
    '/auth/strategies',
    [],
    {
      operationId: 'listStrategies',
      tag,
      summary: 'List the ways to sign in that are switched on',
      returns: z.array(ListedStrategy).meta({ id: 'Strategies' }),
    },
    () =>
      ctx.strategies.on.map((strategy) => ({
        name: strategy.name,
        kind: strategy.kind,
        summary: strategy.summary,
        url: strategy.kind === 'bearer' ? null : `${ctx.settings.publicUrl}${pathOf(strategy)}`,
      })),
  ),
  ...ofKind(ctx, 'login').flatMap((strategy) => [
    signInRoute(ctx, strategy),
    ...Object.entries(strategy.steps ?? {}).map(([name, step]) =>
      stepRoute(ctx, strategy, name, step),
    ),
  ]),
];

const signInRoute = (ctx: Context, strategy: AuthStrategy) =>
  post(
    pathOf(strategy),
    [limit(ctx, SIGN_IN), identify(ctx, strategy.name)],
    {
      operationId: strategy.name === 'local' ? 'signIn' : `signInWith${pascalCase(strategy.name)}`,
      tag,
      summary: strategy.summary,
      body: strategy.credentials as z.ZodType<{ device?: z.output<typeof DeviceInput> }>,
      returns: Tokens,
      problems: [
        'email_unverified',
        ...(ctx.strategies.providers.has(strategy)
          ? (['already_linked', 'forbidden'] as const)
          : []),
      ],
    },
    async (req) => {
      const device = deviceOf(req, req.body.device);
      return (await signIn(ctx, req.identity, device, { strategy: strategy.name })).tokens;
    },
  );

/** A named request before the sign-in, such as asking for a code. It is no failed sign-in. */
const stepRoute = (ctx: Context, strategy: AuthStrategy, name: string, step: StrategyStep) =>
  post(
    stepPathOf(strategy, name),
    [limit(ctx, step.limit ? limitClass(`${strategy.name} ${name}`, step.limit) : SIGN_IN)],
    {
      operationId: `${pascalCase(strategy.name).replace(/^./, (first) => first.toLowerCase())}${pascalCase(name)}`,
      tag,
      summary: step.summary,
      body: step.body,
      ...(step.returns && { returns: step.returns }),
      ...(step.status && { status: step.status }),
      problems: ['unavailable'],
    },
    (req) => {
      const info = { ip: clientIp(req), network: networkOf(req) };
      const context = ctx.strategies.contexts.get(strategy.name)!;
      return runStep(step, req.body, context, info);
    },
  );

const Start = ({ settings }: Context) =>
  z.strictObject({
    redirectUri: z
      .string()
      .max(512)
      .refine((uri) => isRedirectUri(settings, uri), 'This is not one of REDIRECT_URIS')
      .meta({
        description:
          'Where your app wants the browser back: one of REDIRECT_URIS, on loopback with any port.',
      }),
    codeChallenge: CodeChallenge,
    codeChallengeMethod: z.literal('S256').optional(),
    state: z
      .string()
      .regex(/^[\x20-\x7e]{1,256}$/, 'Up to 256 characters of ASCII') // RFC 6749 appendix A.5
      .optional()
      .meta({ description: 'Comes back unchanged, so that your app knows its own request.' }),
  });

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
    [limit(ctx, SIGN_IN)],
    {
      operationId: `start${pascalCase(strategy.name)}`,
      tag,
      summary: strategy.summary,
      description:
        'For a browser, not for fetch. It comes back to `redirectUri` with `code` and `state`, or with `error`, a code of these problems. Take the code to `POST /auth/exchange`.',
      query: Start(ctx),
      status: 302,
      problems: ['access_denied', 'unavailable'],
    },
    async (req, res) => {
      prepare(req as unknown as Request, strategy.name, req.query, isFormPost(strategy));
      if (await authenticateWith(ctx, strategy.name, req as unknown as Request, res))
        throw new Problem('access_denied');
    },
  );

const callbackRoute = (ctx: Context, strategy: AuthStrategy) => {
  const path = `${pathOf(strategy)}/callback`;
  const guards = [limit(ctx, CODE)] as const;
  const spec = {
    operationId: `finish${pascalCase(strategy.name)}`,
    tag,
    summary: `Where ${strategy.name} sends the browser back to`,
    status: 303,
    problems: ['invalid_state', 'access_denied', 'unavailable'] as const,
  } as const;
  const handler = (req: object, res: Response) => finish(ctx, strategy, req as Request, res);
  return isFormPost(strategy)
    ? post(path, guards, { ...spec, body: Returned, form: true }, handler)
    : get(path, guards, { ...spec, query: Returned }, handler);
};

const isFormPost = ({ responseMode }: AuthStrategy) => responseMode === 'form_post';

/** The provider cannot answer right now (RFC 6749 §4.1.2.1). */
const TRANSIENT_ERRORS = new Set(['server_error', 'temporarily_unavailable']);

async function finish(ctx: Context, strategy: AuthStrategy, req: Request, res: Response) {
  await callback(ctx, req, strategy.name, isFormPost(strategy));
  const { redirectUri, codeChallenge, state } = authorizationRequestOf(req)!;
  const { error } = (isFormPost(strategy) ? req.body : req.query) as { error?: string };
  if (error && TRANSIENT_ERRORS.has(error)) throw new Problem('unavailable');
  const identity = await authenticateWith(ctx, strategy.name, req, res);
  if (!identity) throw new Problem('access_denied');
  const code = await issueAuthorizationCode(ctx, strategy.name, identity, codeChallenge);
  res.setHeader('Location', withQuery(redirectUri, { code, state }));
}
