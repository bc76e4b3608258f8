import { z } from 'zod';
import { identify } from '#src/authentication/guards';
import { checkKey } from '#src/authentication/prove-key';
import { limitStep, runStep } from '#src/authentication/run-step';
import { signIn } from '#src/authentication/sign-in';
import { pathOf, stepPathOf } from '#src/strategy-kit/contract';
import type { Context } from '#src/context';
import { get, post, type Route } from '#src/platform/http/route';
import { deviceOf } from '#src/sessions/device';
import { Tokens } from '#src/sessions/schemas';
import type { DeviceInput } from '#src/strategy-kit/device-input';
import type { AuthStrategy, StrategyStep } from '#src/strategy-kit/strategy';

const tag = 'Authentication';
export const ofKind = (ctx: Context, kind: AuthStrategy['kind']) =>
  ctx.strategies.on.filter((strategy) => strategy.kind === kind);
/** `email-code` becomes `EmailCode`, for an operationId. */
export const pascalCase = (name: string) =>
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
    [checkKey(ctx), identify(ctx, strategy.name)],
    {
      operationId: strategy.name === 'local' ? 'signIn' : `signInWith${pascalCase(strategy.name)}`,
      tag,
      summary: strategy.summary,
      body: strategy.credentials as z.ZodType<{ device?: z.output<typeof DeviceInput> }>,
      returns: Tokens,
      problems: [
        'email_unverified',
        ...(ctx.strategies.providers.has(strategy) || ctx.strategies.byAddress.has(strategy)
          ? (['already_linked', 'signup_closed'] as const)
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
    [limitStep(ctx, strategy, name, step)],
    {
      operationId: `${pascalCase(strategy.name).replace(/^./, (first) => first.toLowerCase())}${pascalCase(name)}`,
      tag,
      summary: step.summary,
      body: step.body,
      ...(step.returns && { returns: step.returns }),
      ...(step.status && { status: step.status }),
      problems: ['unavailable'],
    },
    (req) => runStep(ctx, req, strategy, step, req.body),
  );
