import { lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import type { KeyOf } from '#src/platform/messages/areas';
import { message, type Message } from '#src/platform/messages/message';
import { hello } from '#src/user-mail/wording';

interface Notice {
  name: string | null;
  at: Date;
  /** To the page that asks for a new password. */
  link: Link;
}
interface FactorNotice extends Notice {
  kind: string;
}

/** What happened, for each kind of factor, and for those that come later. */
type Texts = Readonly<Record<'totp' | 'passkey' | 'other', KeyOf<'mails'>>>;
const ADDED: Texts = {
  totp: 'factor-added.totp',
  passkey: 'factor-added.passkey',
  other: 'factor-added.other',
};
const REMOVED: Texts = {
  totp: 'factor-removed.totp',
  passkey: 'factor-removed.passkey',
  other: 'factor-removed.other',
};
const RENAMED: Texts = {
  totp: 'factor-renamed.totp',
  passkey: 'factor-renamed.passkey',
  other: 'factor-renamed.other',
};
const about = (texts: Texts, { kind, at }: FactorNotice): Message =>
  message('mails', texts[kind === 'totp' || kind === 'passkey' ? kind : 'other'], { at });

/** The mail about a change of how somebody signs in: what happened, and what to do. */
const notice = (
  template: string,
  subject: KeyOf<'mails'>,
  { name, link }: Notice,
  what: Message,
): Mail => ({
  template,
  subject: message('mails', subject),
  reason: 'notice',
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(name),
    what,
    message('mails', 'factors.end'),
    { label: message('mails', 'choose-password'), link },
  ],
});

export const factorAddedMail = (given: FactorNotice): Mail =>
  notice('factor-added', 'factor-added.subject', given, about(ADDED, given));

export const factorRemovedMail = (given: FactorNotice): Mail =>
  notice('factor-removed', 'factor-removed.subject', given, about(REMOVED, given));

export const factorRenamedMail = (given: FactorNotice): Mail =>
  notice('factor-renamed', 'factor-renamed.subject', given, about(RENAMED, given));

export const factorsResetMail = (given: Notice): Mail =>
  notice(
    'factors-reset',
    'factors-reset.subject',
    given,
    message('mails', 'factors-reset.what', { at: given.at }),
  );

export const recoveryCodesRenewedMail = (given: Notice): Mail =>
  notice(
    'recovery-codes-renewed',
    'recovery-codes-renewed.subject',
    given,
    message('mails', 'recovery-codes-renewed.what', { at: given.at }),
  );

export const recoveryCodeUsedMail = (given: Notice & { left: number }): Mail =>
  notice(
    'recovery-code-used',
    'recovery-code-used.subject',
    given,
    message('mails', 'recovery-code-used.what', { at: given.at, left: given.left }),
  );
