import type { Context } from '#src/context';
import { directoryPage } from '#src/hosted/directory';
import { askForCodePage, enterCodePage } from '#src/hosted/email-code';
import { strategyNamed } from '#src/hosted/finish';
import type { HostedPage } from '#src/hosted/page';
import { secondFactorPage } from '#src/hosted/second-factor';
import { passkeyPage, signInPage } from '#src/hosted/sign-in';
import { signUpPage } from '#src/hosted/sign-up';
import { resendPage, verifyPage } from '#src/hosted/verify';

/** The pages of a sign-in, for apps that have none of their own: those of what is switched on. */
export function hostedPages(ctx: Context): readonly HostedPage[] {
  const { hostedPages: on, emailVerification } = ctx.settings;
  if (!on.includes('sign-in')) return [];
  const pagesOf = (name: string, ...pages: HostedPage[]) =>
    strategyNamed({ ctx }, name) ? pages : [];
  return [
    signInPage,
    secondFactorPage,
    signUpPage,
    ...pagesOf('passkey', passkeyPage),
    ...pagesOf('ldap', directoryPage),
    ...pagesOf('email-code', askForCodePage, enterCodePage),
    ...(emailVerification === 'off' ? [] : [verifyPage, resendPage]),
  ];
}
