import type { Context } from '#src/context';
import { askForCodePage, enterCodePage } from '#src/hosted/email-code';
import type { HostedPage } from '#src/hosted/page';
import { secondFactorPage } from '#src/hosted/second-factor';
import { passkeyPage, signInPage } from '#src/hosted/sign-in';
import { signUpPage } from '#src/hosted/sign-up';
import { resendPage, verifyPage } from '#src/hosted/verify';

/** The pages of a sign-in, for apps that have none of their own. */
export const hostedPages = ({ settings }: Pick<Context, 'settings'>): readonly HostedPage[] =>
  settings.hostedPages.includes('sign-in')
    ? [
        signInPage,
        passkeyPage,
        secondFactorPage,
        askForCodePage,
        enterCodePage,
        signUpPage,
        verifyPage,
        resendPage,
      ]
    : [];
