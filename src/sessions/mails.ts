import { inWords, lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import { hello, writtenTime } from '#src/user-mail/wording';

interface NewSignIn {
  name: string | null;
  at: Date;
  /** In words. Null if nothing is known of it. */
  device: string | null;
  ip: string | null;
  strategy: string;
  /** The host of this server. */
  host: string;
  /** To the page that ends the session. */
  link: Link;
}

const WAYS: Readonly<Record<string, string>> = {
  local: 'password',
  passkey: 'passkey',
  'email-code': 'code by mail',
};

export const newSignInMail = ({ name, at, device, ip, strategy, host, link }: NewSignIn): Mail => ({
  template: 'new-sign-in',
  subject: 'A sign-in on a new device',
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(name),
    `On ${writtenTime(at)} somebody, probably you, signed in to your account on a device and from a network that you have not used before.`,
    `Device: ${device ?? 'unknown'}.`,
    `Network address: ${ip ?? 'unknown'}.`,
    `Signed in with: ${WAYS[strategy] ?? strategy}.`,
    'If that was you, there is nothing to do. If it was not, sign that device out. The page then says how to choose a new password.',
    { label: 'Sign that device out', link },
    `The link is good for ${inWords(lifetimes.sessionEndLinkSeconds)}, and ends this one session only.`,
    `${host} sends this mail to the owner of an account after a sign-in on a new device.`,
  ],
});
