import { lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import { hello, writtenTime } from '#src/user-mail/wording';

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
  subject: 'A sign-in with your passkey was refused',
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(name),
    `On ${writtenTime(at)}, a sign-in with your passkey of ${writtenTime(madeAt)} was refused: it looked like a copy of the passkey.`,
    'Remove this passkey and make a new one. If you did not try to sign in, choose a new password, too.',
    { label: 'Choose a new password', link },
  ],
});
