import { linkTo, type Mail } from '#src/platform/mail/template';
import type { AppRequest, StrategyContext } from '#src/strategy-kit/strategy';

/** How long code and link are good. */
const MINUTES = 10;
export const TTL_SECONDS = MINUTES * 60;

/** What is stored with a code. */
export interface Asked {
  /** The address as it was typed. */
  email: string;
  /** Where the link leads, if the app asked for one. */
  app?: AppRequest | undefined;
}

/** To an address that somebody wants to sign in with. It names nobody: whoever asked may be a stranger. */
export function signInMail(
  settings: StrategyContext['settings'],
  code: string,
  linkToken: string | undefined,
): Mail {
  const link =
    linkToken === undefined
      ? []
      : [
          'Or open this page where you asked for it, in the same browser or on the same phone:',
          {
            label: 'Sign in',
            link: linkTo(settings, '/auth/email-code/link', { token: linkToken }),
          },
        ];
  return {
    template: 'email-code',
    subject: 'Your code to sign in',
    goodFor: TTL_SECONDS,
    parts: [
      'Hello,',
      'Somebody, probably you, wants to sign in with this e-mail address. Type this code there:',
      { code },
      ...link,
      `It is good for ${MINUTES} minutes, once. A newer mail makes it void.`,
      'Give it to nobody, whoever asks. If it was not you, do nothing: without it nobody gets in.',
    ],
  };
}
