import { z } from 'zod';
import { isRedirectUri, NOT_LISTED, withQuery } from '#src/authentication/redirect-uri';
import type { Context } from '#src/context';
import { withoutEmpty } from '#src/oauth/errors';
import { isTwice } from '#src/platform/http/parse';
import { AppState, ClientId, CodeChallenge, RedirectUri } from '#src/strategy-kit/app-request';
import { authorizationParameterNames, pathOf } from '#src/strategy-kit/contract';
import type { AuthStrategy } from '#src/strategy-kit/strategy';

/** RFC 6749 §4.1.2.1: if one of these is wrong, the browser is not sent back. */
export const AuthorizeQuery = ({ settings }: Pick<Context, 'settings'>) =>
  z
    .object({
      client_id: ClientId,
      redirect_uri: RedirectUri.refine((uri) => isRedirectUri(settings, uri), NOT_LISTED),
    })
    .catchall(z.unknown());
type AuthorizeQuery = z.output<ReturnType<typeof AuthorizeQuery>>;

/** RFC 6749 §3.1: what is not known is ignored, and nothing may be there twice. */
const Authorization = z
  .object({
    response_type: z.string(),
    code_challenge: CodeChallenge,
    code_challenge_method: z.literal('S256'), // RFC 7636 §4.3: without it, it would be `plain`
    state: AppState.optional(),
    response_mode: z.literal('query').optional(),
    provider: z.string().optional(),
  })
  .catchall(z.string('Give it once'));

/** Where the browser goes: an address, or one of several providers that the person chooses. */
type Next = { location: string } | { choices: { name: string; address: string }[] };

/**
 * Leads the authorization request of an OAuth client (RFC 6749 §4.1.1, with PKCE) to the start of the sign-in with a
 * provider. What is wrong with it is told to the client.
 */
export function authorize(ctx: Context, query: AuthorizeQuery): Next {
  const { client_id: clientId, redirect_uri: redirectUri, ...others } = query;
  const rest = withoutEmpty(others);
  const { data, error } = Authorization.safeParse(rest, { reportInput: true });
  const state = AppState.safeParse(rest['state']).data;
  const refuse = (why: string, description: string): Next => ({
    location: withQuery(redirectUri, { error: why, error_description: description, state }),
  });
  if (typeof rest['response_type'] === 'string' && rest['response_type'] !== 'code')
    return refuse('unsupported_response_type', 'The response type is code.');
  if (!data) return refuse('invalid_request', wrongIn(error));
  const { provider, code_challenge: codeChallenge } = data;
  const providers = ctx.strategies.on.filter(({ kind }) => kind === 'redirect');
  const chosen = providers.filter(({ name }) => (provider ?? name) === name);
  const choices = chosen.map((strategy) => ({
    name: strategy.name,
    address: withQuery(ctx.settings.publicUrl + pathOf(strategy), {
      ...passedOn(strategy, data),
      redirectUri,
      codeChallenge,
      state,
      clientId,
    }),
  }));
  const [first] = choices;
  if (choices.length > 1) return { choices };
  if (first) return { location: first.address };
  return provider === undefined
    ? refuse('server_error', 'No provider is switched on here.')
    : refuse('invalid_request', 'This provider is not known here.');
}

const wrongIn = ({ issues }: z.ZodError): string => {
  const namesOf = (some: typeof issues) =>
    some.map(({ path: [name] }) => String(name)).filter((name) => /^\w{1,64}$/.test(name));
  const twice = namesOf(issues.filter(isTwice));
  if (twice.length > 0) return `Give it once: ${twice.join(', ')}.`;
  return `Missing or wrong: ${namesOf(issues).join(', ')}.`;
};

/** What the client asks of the sign-in there, if the strategy passes it on. */
const passedOn = (
  { authorizationParameters = [] }: AuthStrategy,
  given: Record<string, string | undefined>,
) =>
  Object.fromEntries(
    authorizationParameterNames
      .filter((name) => authorizationParameters.includes(name))
      .map((name) => [name, given[name]]),
  );
