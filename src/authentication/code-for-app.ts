import { withQuery } from '#src/authentication/redirect-uri';
import { proveSignIn, type Identity } from '#src/authentication/sign-in';
import type { SignInMethod } from '#src/authentication/sign-in-policies';
import type { Context } from '#src/context';
import { issueAuthorizationCode } from '#src/federation/authorization-code';
import { lifetimes } from '#src/lifetimes';
import { cookieOf, hostCookie, isSecure } from '#src/platform/http/cookies';
import { Problem } from '#src/platform/http/problem';
import type { Locale } from '#src/platform/messages/locales';
import type { Settings } from '#src/platform/settings/settings';
import { deviceOf, type Device } from '#src/sessions/device';
import type { AppRequest } from '#src/strategy-kit/app-request';
import type { Request } from 'express';

/** Names an app in what is sealed for it: a second factor that it asked for answers no other one. */
export const nameOf = ({ redirectUri, codeChallenge, state }: AppRequest): string =>
  JSON.stringify([redirectUri, codeChallenge, state]);

/**
 * The address of the app, with a code that only it can exchange. The code stands for all that was proved. No session
 * exists before it is exchanged.
 * @throws {Problem} what the sign-in pipeline refuses with
 */
export async function codeForApp(
  ctx: Context,
  identity: Identity,
  device: Device,
  method: SignInMethod,
  app: AppRequest,
): Promise<string> {
  const asked = { ...method, app: nameOf(app) };
  const { user, amr } = await proveSignIn(ctx, identity, device, asked);
  const { redirectUri, codeChallenge, state } = app;
  const owner = { user, amr };
  const client = { redirectUri };
  const code = await issueAuthorizationCode(ctx, method.strategy, owner, codeChallenge, client);
  return withQuery(redirectUri, { code, state });
}

/** The page that asks for a second factor. */
export const SECOND_FACTOR = '/sign-in/second-factor';

/** The token of a sign-in that waits for a second factor, if that is what an error says. */
export const waitingTokenIn = (error: unknown): string | undefined =>
  error instanceof Problem && error.code === 'mfa_required' ? error.members.mfaToken : undefined;

/**
 * Ends a sign-in with a provider that the hosted page began: at the app, or at the page that asks for a second factor. Its
 * token goes into a cookie: it is never in an address, and a page that is loaded again still has it.
 * @throws {Problem} what the sign-in pipeline refuses with
 */
export async function endAtHostedPage(
  ctx: Context,
  req: Request,
  identity: Identity,
  strategy: string,
  app: AppRequest & { hostedLocale: Locale },
): Promise<string> {
  try {
    return await codeForApp(ctx, identity, deviceOf(req), { strategy }, app);
  } catch (error) {
    const mfaToken = waitingTokenIn(error);
    if (mfaToken === undefined) throw error;
    const { settings } = ctx;
    req.res!.cookie(cookieName(settings), mfaToken, {
      httpOnly: true,
      path: '/',
      secure: isSecure(settings),
      sameSite: 'lax',
      maxAge: lifetimes.secondFactorSeconds * 1000,
    });
    const { redirectUri, codeChallenge, state, hostedLocale } = app;
    const query = { redirectUri, codeChallenge, state, ui_locales: hostedLocale };
    return withQuery(settings.publicUrl + SECOND_FACTOR, query);
  }
}

/** The token that a sign-in with a provider has left in this browser. */
export const waitingTokenOf = ({ settings }: Context, req: Request): string | undefined =>
  cookieOf(req, cookieName(settings));

const cookieName = (settings: Settings) => hostCookie(settings, 'sallyport-factor');
