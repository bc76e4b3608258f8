import { lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import { message } from '#src/platform/messages/message';
import { hello } from '#src/user-mail/wording';

interface IdentityLinked {
  name: string | null;
  provider: string;
  at: Date;
  /** To the page that asks for a new password. */
  link: Link;
}
export const identityLinkedMail = ({ name, provider, at, link }: IdentityLinked): Mail => ({
  template: 'identity-linked',
  subject: message('mails', 'identity-linked.subject'),
  reason: 'notice',
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(name),
    message('mails', 'identity-linked.what', { at, provider }),
    message('mails', 'identity-linked.end'),
    { label: message('mails', 'choose-password'), link },
  ],
});
