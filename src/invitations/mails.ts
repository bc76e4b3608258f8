import { inWords, lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import { hello } from '#src/user-mail/wording';

/** The link leads to the page that makes an account. */
export const invitationMail = ({ name, link }: { name: string | null; link: Link }): Mail => ({
  template: 'invitation',
  subject: 'You are invited',
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(name),
    'An administrator invites you to have an account with this e-mail address. Choose a password here:',
    { label: 'Accept the invitation', link },
    `The link is good for ${inWords(lifetimes.invitationSeconds)}, once. Nobody else knows it, and nobody else chooses your password.`,
    'If you do not want an account, do nothing: there is none before you accept.',
  ],
});
