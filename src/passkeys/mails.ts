import { lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import { message } from '#src/platform/messages/message';
import { hello } from '#src/user-mail/wording';

interface PasskeyCopied {
  name: string | null;
  /** When the passkey was made. Its name is not told: people choose it, maybe with the address of somebody else. */
  madeAt: Date;
  at: Date;
  /** To the page that asks for a new password. */
  link: Link;
}
export const passkeyCopiedMail = ({ name, madeAt, at, link }: PasskeyCopied): Mail => ({
  template: 'passkey-copied',
  subject: message('mails', 'passkey-copied.subject'),
  reason: 'notice',
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(name),
    message('mails', 'passkey-copied.what', { at, made: madeAt }),
    message('mails', 'passkey-copied.end'),
    { label: message('mails', 'choose-password'), link },
  ],
});
