import { lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import { message } from '#src/platform/messages/message';
import { hello } from '#src/user-mail/wording';

/** The link leads to the page that makes an account. */
export const invitationMail = ({ name, link }: { name: string | null; link: Link }): Mail => ({
  template: 'invitation',
  subject: message('mails', 'invitation.subject'),
  reason: 'invited',
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(name),
    message('mails', 'invitation.why'),
    { label: message('mails', 'invitation.accept'), link },
    message('mails', 'invitation.how-long', {
      duration: { seconds: lifetimes.invitationSeconds },
    }),
    message('mails', 'invitation.end'),
  ],
});
