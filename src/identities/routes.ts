import { z } from 'zod';
import { Identity } from '#models/index';
import { Id, Listing, newestFirst, Page } from '#src/core/listing';
import { Problem } from '#src/core/problem';
import { Vouched } from '#src/core/vouched';
import { requireFresh, requireFullAccess } from '#src/http/guards';
import { limit } from '#src/http/limits';
import { authenticate, vouch, type Loaded } from '#src/http/passport';
import { del, get, post } from '#src/http/route';
import { linkIdentity, unlinkIdentity } from '#src/identities/link';
import { ListedIdentity } from '#src/identities/schemas';
import { CodeVerifier, spendCode } from '#src/identities/sign-in-code';
import { userOf } from '#src/identities/user-of';
import { deviceOf, DeviceInput } from '#src/sessions/device';
import { Tokens, tokensFor } from '#src/sessions/schemas';
import { startSession } from '#src/sessions/sessions';

const Code = z.strictObject({ code: z.string().min(1).max(128), codeVerifier: CodeVerifier });

export default [
  post(
    '/auth/exchange',
    [limit('code')],
    {
      tag: 'Entering',
      summary: 'Get tokens for the code of a redirect',
      description: 'Within 60 seconds, once, by whoever has the code verifier (PKCE). A code that is refused is spent.',
      body: Code.extend({ device: DeviceInput.optional() }),
      returns: Tokens,
      problems: ['invalid_code', 'already_linked', 'forbidden', 'user_disabled', 'email_unverified', 'invalid_credentials', 'unavailable'],
    },
    async (req) => {
      const { code, codeVerifier, device } = req.body;
      const { strategy, who } = await spendCode(code, codeVerifier);
      const user = who instanceof Vouched ? await userOf(who) : who;
      return tokensFor(await startSession(user, deviceOf(req, device), strategy), user);
    },
  ),

  get(
    '/me/identities',
    [authenticate()],
    { tag: 'Being in', summary: 'Providers you can sign in with', query: Page, returns: Listing(ListedIdentity) },
    (req) => newestFirst(Identity, { userId: req.user.id }, req.query),
  ),
];

/** For each provider: how a user links it. And how they take one away, which depends on which ways in there are. */
export const linkRoutes = ({ providers }: Loaded) => [
  del(
    '/me/identities/:id',
    [authenticate(), requireFullAccess, requireFresh(60)],
    {
      tag: 'Being in',
      summary: 'Unlink a provider',
      params: z.strictObject({ id: Id }),
      problems: ['not_found', 'last_way_in'],
    },
    (req) =>
      unlinkIdentity(
        req.user.id,
        req.params.id,
        [...providers].map(({ name }) => name),
      ),
  ),
  ...[...providers].filter(({ kind }) => kind !== 'bearer').map(linkRoute),
];

const linkRoute = ({ name, kind, credentials }: Loaded['on'][number]) =>
  post(
    `/me/identities/${name}`,
    [authenticate(), requireFullAccess, requireFresh(60), limit('code')],
    {
      tag: 'Being in',
      summary: `Link ${name} to your user`,
      description:
        kind === 'redirect'
          ? `Send the browser through \`GET /auth/${name}\` as if to sign in, then bring the code here instead of to \`POST /auth/exchange\`.`
          : 'With what you would sign in with.',
      body: kind === 'redirect' ? Code : (credentials as z.ZodType<z.output<typeof Code>>),
      returns: ListedIdentity,
      status: 201,
      problems: ['invalid_code', 'already_linked', 'invalid_credentials', 'unavailable'],
    },
    async (req, res) => {
      const who = kind === 'redirect' ? await codeOf(name, req.body) : await vouch(name, req as never, res);
      if (!(who instanceof Vouched)) throw new Problem('invalid_code');
      return linkIdentity(req.user, who);
    },
  );

async function codeOf(name: string, { code, codeVerifier }: z.output<typeof Code>) {
  const { strategy, who } = await spendCode(code, codeVerifier);
  return strategy === name ? who : null;
}
