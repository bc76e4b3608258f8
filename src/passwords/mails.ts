import { inWords, lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import { hello, writtenTime } from '#src/user-mail/wording';

/** The link leads to the page that sets a new password. */
export const resetPasswordMail = ({ name, link }: { name: string | null; link: Link }): Mail => ({
  template: 'reset-password',
  subject: 'Choose a new password',
  goodFor: lifetimes.passwordResetSeconds,
  parts: [
    hello(name),
    'Somebody, probably you, asked for a new password. Choose one here:',
    { label: 'Choose a new password', link },
    `The link is good for ${inWords(lifetimes.passwordResetSeconds)}, once. You will be signed out everywhere.`,
    'If it was not you, do nothing: your password stays as it is.',
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
  subject: 'Your password was changed',
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(name),
    `Your password was changed on ${writtenTime(at)}, and every other device was signed out.`,
    'If that was you, all is well. If it was not, take your account back now:',
    { label: 'Choose a new password', link },
  ],
});
