import { lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import { hello, writtenTime } from '#src/user-mail/wording';

interface IdentityLinked {
  name: string | null;
  provider: string;
  at: Date;
  /** To the page that asks for a new password. */
  link: Link;
}
export const identityLinkedMail = ({ name, provider, at, link }: IdentityLinked): Mail => ({
  template: 'identity-linked',
  subject: 'A new way to sign in',
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(name),
    `Since ${writtenTime(at)} you can sign in with ${provider}, too.`,
    'If you set that up, all is well. If you did not, somebody else can get in: choose a new password and remove what you do not know.',
    { label: 'Choose a new password', link },
  ],
});
