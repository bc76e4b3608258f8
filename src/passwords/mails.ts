import { lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import { message } from '#src/platform/messages/message';
import { hello } from '#src/user-mail/wording';

/** The link leads to the page that sets a new password. */
export const resetPasswordMail = ({ name, link }: { name: string | null; link: Link }): Mail => ({
  template: 'reset-password',
  subject: message('mails', 'reset-password.subject'),
  reason: 'asked',
  goodFor: lifetimes.passwordResetSeconds,
  parts: [
    hello(name),
    message('mails', 'reset-password.why'),
    { label: message('mails', 'choose-password'), link },
    message('mails', 'reset-password.how-long', {
      duration: { seconds: lifetimes.passwordResetSeconds },
    }),
    message('mails', 'reset-password.end'),
  ],
});

interface PasswordChanged {
  name: string | null;
  at: Date;
  /** To the page that asks for a new password. */
  link: Link;
}
export const passwordChangedMail = ({ name, at, link }: PasswordChanged): Mail => ({
  template: 'password-changed',
  subject: message('mails', 'password-changed.subject'),
  reason: 'notice',
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(name),
    message('mails', 'password-changed.what', { at }),
    message('mails', 'password-changed.end'),
    { label: message('mails', 'choose-password'), link },
  ],
});
