import { lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import type { KeyOf } from '#src/platform/messages/areas';
import { message } from '#src/platform/messages/message';
import { hello } from '#src/user-mail/wording';

interface NewSignIn {
  name: string | null;
  at: Date;
  /** In words. Null if nothing is known of it. */
  device: string | null;
  ip: string | null;
  strategy: string;
  /** To the page that ends the session. */
  link: Link;
}

const WAYS: Readonly<Record<string, KeyOf<'mails'>>> = {
  local: 'new-sign-in.password',
  passkey: 'new-sign-in.passkey',
  'email-code': 'new-sign-in.code',
};
const wayOf = (strategy: string) => {
  const key = Object.hasOwn(WAYS, strategy) ? WAYS[strategy] : undefined;
  return key ? message('mails', key) : strategy;
};

export const newSignInMail = ({ name, at, device, ip, strategy, link }: NewSignIn): Mail => ({
  template: 'new-sign-in',
  subject: message('mails', 'new-sign-in.subject'),
  reason: 'sign-in',
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(name),
    message('mails', 'new-sign-in.what', { at }),
    message('mails', 'new-sign-in.device', { device: device ?? message('mails', 'unknown') }),
    message('mails', 'new-sign-in.ip', { ip: ip ?? message('mails', 'unknown') }),
    message('mails', 'new-sign-in.way', { way: wayOf(strategy) }),
    message('mails', 'new-sign-in.end'),
    { label: message('mails', 'new-sign-in.sign-out'), link },
    message('mails', 'new-sign-in.how-long', {
      duration: { seconds: lifetimes.sessionEndLinkSeconds },
    }),
  ],
});
