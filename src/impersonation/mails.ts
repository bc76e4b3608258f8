import { inWords, lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import { hello, writtenTime } from '#src/user-mail/wording';

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
  subject: 'An administrator acts for you',
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(name),
    `On ${writtenTime(at)}, an administrator${actor ? ` (${actor})` : ''} opened your account to act for you. The reason they gave: ${reason}`,
    `This ends after ${inWords(lifetimes.impersonationSeconds)} at the latest. Until then they see what you see. They cannot change how you sign in, your addresses, or your other sessions.`,
    'Your list of sessions shows it. You can end it there, or here. If you do not know what it is about, ask whoever runs this service.',
    { label: 'End it now', link },
  ],
});
