import { linkTo, type Mail } from '#src/platform/mail/template';
import { message } from '#src/platform/messages/message';
import type { AppRequest, StrategyContext } from '#src/strategy-kit/strategy';

/** How long code and link are good. */
export const TTL_SECONDS = 10 * 60;

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
          message('mails', 'email-code.or-open'),
          {
            label: message('mails', 'email-code.sign-in'),
            link: linkTo(settings, '/auth/email-code/link', { token: linkToken }),
          },
        ];
  return {
    template: 'email-code',
    subject: message('mails', 'email-code.subject'),
    reason: 'asked',
    goodFor: TTL_SECONDS,
    parts: [
      message('mails', 'hello'),
      message('mails', 'email-code.why'),
      { code },
      ...link,
      message('mails', 'email-code.how-long', { duration: { seconds: TTL_SECONDS } }),
      message('mails', 'email-code.end'),
    ],
  };
}
