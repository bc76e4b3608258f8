import { lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import { message } from '#src/platform/messages/message';
import { hello } from '#src/user-mail/wording';

interface Impersonated {
  name: string | null;
  at: Date;
  actor: string | null;
  reason: string;
  /** To the page that ends the session. */
  link: Link;
}

export const impersonatedMail = ({ name, at, actor, reason, link }: Impersonated): Mail => ({
  template: 'impersonated',
  subject: message('mails', 'impersonated.subject'),
  reason: 'notice',
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(name),
    actor
      ? message('mails', 'impersonated.by', { at, actor, reason })
      : message('mails', 'impersonated.what', { at, reason }),
    message('mails', 'impersonated.how-long', {
      duration: { seconds: lifetimes.impersonationSeconds },
    }),
    message('mails', 'impersonated.end'),
    { label: message('mails', 'impersonated.end-now'), link },
  ],
});
