import type { Response } from 'express';
import { z } from 'zod';
import { authenticateWith } from '#src/authentication/authenticate-with';
import { authenticate, requireFreshProof, requireFullAccess } from '#src/authentication/guards';
import { bindToKey, checkKey } from '#src/authentication/prove-key';
import type { Context } from '#src/context';
import { CodeVerifier, spendAuthorizationCode } from '#src/federation/authorization-code';
import { redeemAuthorizationCode } from '#src/authentication/redeem-code';
import { linkIdentity, unlinkIdentity } from '#src/federation/link';
import { ListedIdentity } from '#src/federation/schemas';
import { inWords, lifetimes } from '#src/lifetimes';
import { CODE } from '#src/one-time-tokens/limits';
import { Id, Listing, newestFirst, Page } from '#src/platform/http/listing';
import { Problem } from '#src/platform/http/problem';
import { limit } from '#src/platform/http/rate-limit';
import { del, get, post, type Route } from '#src/platform/http/route';
import { deviceOf } from '#src/sessions/device';
import { DeviceInput } from '#src/strategy-kit/device-input';
import { Tokens } from '#src/sessions/schemas';
import { providerOf } from '#src/strategy-kit/contract';
import type { AuthStrategy } from '#src/strategy-kit/strategy';
import { signedInAs } from '#src/users/principal';

const Code = z.strictObject({ code: z.string().min(1).max(128), codeVerifier: CodeVerifier });
const CodeExchange = Code.extend({ device: DeviceInput.optional() }).meta({ id: 'CodeExchange' });
const IdentityLink = Code.meta({ id: 'IdentityLink' });
const IdentityPage = Listing(ListedIdentity);

export const federationRoutes = (ctx: Context): Route[] => [
  post(
    '/auth/exchange',
    [checkKey(ctx), limit(ctx, CODE), bindToKey(ctx)],
    {
      operationId: 'exchangeCode',
      tag: 'Authentication',
      summary: 'Get tokens for the code of a redirect',
      description: `Within ${inWords(lifetimes.authorizationCodeSeconds)}, once, with the code verifier (PKCE). A code that is refused is spent. If a code comes again with its verifier, the session that came of it ends.`,
      body: CodeExchange,
      returns: Tokens,
      problems: [
        'invalid_code',
        'already_linked',
        'signup_closed',
        'user_disabled',
        'email_unverified',
        'invalid_credentials',
        'unavailable',
      ],
    },
    async (req) => {
      const { code, codeVerifier, device } = req.body;
      const signedIn = await redeemAuthorizationCode(
        ctx,
        code,
        codeVerifier,
        deviceOf(req, device),
      );
      return signedIn.tokens;
    },
  ),

  get(
    '/me/identities',
    [authenticate(ctx, { toActors: true })],
    {
      operationId: 'listIdentities',
      tag: 'Account',
      summary: 'Providers you can sign in with',
      query: Page,
      returns: IdentityPage,
    },
    (req) => newestFirst(ctx.db.Identity, { userId: req.user.id }, req.query),
  ),

  del(
    '/me/identities/:id',
    guardsOfChange(ctx),
    {
      operationId: 'unlinkIdentity',
      tag: 'Account',
      summary: 'Unlink a provider',
      params: z.strictObject({ id: Id }),
      problems: ['not_found', 'last_way_in'],
    },
    (req) => {
      const providers = [...ctx.strategies.providers].map(providerOf);
      return unlinkIdentity(ctx, req.user.id, req.params.id, providers);
    },
  ),
];

/** One route for each provider. The strategies must be loaded before. */
export const linkRoutes = (ctx: Context): Route[] =>
  [...ctx.strategies.providers]
    .filter(({ kind }) => kind !== 'bearer')
    .map((strategy) => linkRoute(ctx, strategy));

/** For a change of how somebody signs in. */
const guardsOfChange = (ctx: Context) =>
  [
    authenticate(ctx),
    requireFullAccess,
    requireFreshProof(ctx, lifetimes.freshCredentialChangeMinutes),
  ] as const;

const linkRoute = (ctx: Context, { name, kind, credentials }: AuthStrategy) =>
  post(
    `/me/identities/${name}`,
    [...guardsOfChange(ctx), limit(ctx, CODE, signedInAs)],
    {
      operationId: `link${pascalCase(name)}`,
      tag: 'Account',
      summary: `Link ${name} to your user`,
      description:
        kind === 'redirect'
          ? `Send the browser through \`GET /auth/${name}\` as if to sign in, then bring the code here instead of to \`POST /auth/exchange\`.`
          : 'With what you would sign in with.',
      body: kind === 'redirect' ? IdentityLink : (credentials as typeof IdentityLink),
      returns: ListedIdentity,
      status: 201,
      problems: ['invalid_code', 'already_linked', 'invalid_credentials', 'unavailable'],
    },
    async (req, res) => {
      const identity =
        kind === 'redirect'
          ? await identityOfCode(ctx, name, req.body)
          : await identityOfCredentials(ctx, name, res);
      if (!identity || !('profile' in identity)) throw new Problem('invalid_code');
      return linkIdentity(ctx, req.user, identity.profile);
    },
  );

/** `google-native` becomes `GoogleNative`. */
const pascalCase = (name: string) =>
  name.replaceAll(/(?:^|[^a-z0-9]+)([a-z0-9])/gi, (_, letter: string) => letter.toUpperCase());

/** Who the credentials belong to. They were right, so nothing counts against the account. */
async function identityOfCredentials(ctx: Context, name: string, res: Response) {
  const identity = await authenticateWith(ctx, name, res.req, res);
  await identity?.attempt?.succeeded();
  return identity;
}

async function identityOfCode(
  ctx: Context,
  name: string,
  { code, codeVerifier }: z.output<typeof Code>,
) {
  const { identity, method } = await spendAuthorizationCode(ctx, code, codeVerifier);
  return method.strategy === name ? identity : null;
}
