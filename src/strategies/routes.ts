import type { Request, Response } from 'express';
import { z } from 'zod';
import { config } from '#src/config';
import { Problem } from '#src/core/problem';
import { authenticate, vouch, type Loaded } from '#src/http/passport';
import { limit } from '#src/http/limits';
import { isRedirectUri, withQuery } from '#src/http/redirect-uri';
import { get, post } from '#src/http/route';
import { begin, comeBack, roundTripOf } from '#src/http/round-trip';
import type { AuthStrategy } from '#src/http/strategy';
import { pathOf } from '#src/http/strategy-files';
import { CodeChallenge, issueCode } from '#src/identities/sign-in-code';
import { deviceOf, type DeviceInput } from '#src/sessions/device';
import { Tokens, tokensFor } from '#src/sessions/schemas';
import { startSession } from '#src/sessions/sessions';

const tag = 'Entering';
const ofKind = (kind: AuthStrategy['kind'], { on }: Loaded) => on.filter((strategy) => strategy.kind === kind);

const WayIn = z
  .object({
    name: z.string().meta({ example: 'github' }),
    kind: z.enum(['login', 'redirect', 'bearer']).meta({
      description: '`login`: send JSON there. `redirect`: send the browser there. `bearer`: sent with every request.',
    }),
    summary: z.string(),
    url: z.string().nullable().meta({ description: 'Null for `bearer`.' }),
  })
  .meta({ id: 'Strategy' });

/** One sign-in route for each strategy of kind `login`, made from what its file says; and which ways in there are. */
export const strategyRoutes = (strategies: Loaded) => [
  get('/auth/strategies', [], { tag, summary: 'The ways in that are switched on', returns: z.array(WayIn) }, () =>
    strategies.on.map((strategy) => ({
      name: strategy.name,
      kind: strategy.kind,
      summary: strategy.summary,
      url: strategy.kind === 'bearer' ? null : `${config.PUBLIC_URL}${pathOf(strategy)}`,
    })),
  ),
  ...ofKind('login', strategies).map((strategy) => signInRoute(strategy, strategies)),
];

const signInRoute = (strategy: AuthStrategy, { providers }: Loaded) =>
  post(
    pathOf(strategy),
    [limit('sign-in'), authenticate(strategy.name)],
    {
      tag,
      summary: strategy.summary,
      body: strategy.credentials as z.ZodType<{ device?: z.output<typeof DeviceInput> }>,
      returns: Tokens,
      problems: ['email_unverified', ...(providers.has(strategy) ? (['already_linked', 'forbidden'] as const) : [])],
    },
    async (req) => {
      const session = await startSession(req.user, deviceOf(req, req.body.device), strategy.name);
      return tokensFor(session, req.user);
    },
  );

const Departure = z.strictObject({
  redirectUri: z
    .string()
    .max(512)
    .refine(isRedirectUri, 'This is not one of REDIRECT_URIS')
    .meta({ description: 'Where your app wants the browser back: one of REDIRECT_URIS, on loopback with any port.' }),
  codeChallenge: CodeChallenge,
  codeChallengeMethod: z.literal('S256').optional(),
  state: z
    .string()
    .regex(/^[\x20-\x7e]{1,256}$/, 'Up to 256 characters of ASCII') // RFC 6749 appendix A.5
    .optional()
    .meta({ description: 'Comes back as it is, so that your app knows its own request.' }),
});

/** What providers send back. Of each member one: libraries trip over lists. */
const Returned = z.object({}).catchall(z.string('Once, please'));

/** For each strategy of kind `redirect`: the way to the provider, and the way back. People see these, so they are mounted by themselves. */
export const redirectRoutes = (strategies: Loaded) =>
  ofKind('redirect', strategies).flatMap((strategy) => [departure(strategy), arrival(strategy)]);

const departure = (strategy: AuthStrategy) =>
  get(
    pathOf(strategy),
    [limit('sign-in')],
    {
      tag,
      summary: strategy.summary,
      description:
        'For a browser, not for fetch. It comes back to `redirectUri` with `code` and `state`, or with `error`, a code of these problems. Take the code to `POST /auth/exchange`.',
      query: Departure,
      status: 302,
      problems: ['access_denied', 'unavailable'],
    },
    async (req, res) => {
      begin(req as unknown as Request, strategy.name, req.query, isForm(strategy));
      if (await vouch(strategy.name, req as unknown as Request, res)) throw new Problem('access_denied');
    },
  );

const arrival = (strategy: AuthStrategy) => {
  const path = `${pathOf(strategy)}/callback`;
  const spec = {
    tag,
    summary: `Where ${strategy.name} sends the browser back to`,
    status: 303,
    problems: ['invalid_state', 'access_denied', 'unavailable'] as const,
  };
  const handler = (req: object, res: Response) => arrive(strategy, req as Request, res);
  return isForm(strategy)
    ? post(path, [limit('code')], { ...spec, body: Returned }, handler)
    : get(path, [limit('code')], { ...spec, query: Returned }, handler);
};

const isForm = ({ responseMode }: AuthStrategy) => responseMode === 'form_post';

/** The provider cannot right now (RFC 6749 §4.1.2.1). */
const LATER = new Set(['server_error', 'temporarily_unavailable']);

async function arrive(strategy: AuthStrategy, req: Request, res: Response): Promise<void> {
  await comeBack(req, strategy.name, isForm(strategy));
  const { redirectUri, codeChallenge, state } = roundTripOf(req)!;
  const { error } = (isForm(strategy) ? req.body : req.query) as { error?: string };
  if (error && LATER.has(error)) throw new Problem('unavailable');
  const who = await vouch(strategy.name, req, res);
  if (!who) throw new Problem('access_denied');
  const code = await issueCode(strategy.name, who, codeChallenge);
  res.setHeader('Location', withQuery(redirectUri, { code, state }));
}
