import { lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import { message } from '#src/platform/messages/message';
import { hello } from '#src/user-mail/wording';

const duration = { seconds: lifetimes.emailChallengeSeconds };

/** To an address that somebody gave as theirs. */
export const verifyEmailMail = ({ link, code }: { link: Link; code: string }): Mail => ({
  template: 'verify-email',
  subject: message('mails', 'verify-email.subject'),
  goodFor: lifetimes.emailChallengeSeconds,
  parts: [
    hello(),
    message('mails', 'verify-email.why'),
    { label: message('mails', 'confirm-address'), link },
    message('mails', 'verify-email.code'),
    { code },
    message('mails', 'verify-email.end', { duration }),
  ],
});

/** To the owner of an address that somebody tried to register again, or to change theirs to. */
export const alreadyRegisteredMail = ({ link }: { link: Link }): Mail => ({
  template: 'already-registered',
  subject: message('mails', 'already-registered.subject'),
  goodFor: lifetimes.emailChallengeSeconds,
  parts: [
    hello(),
    message('mails', 'already-registered.why'),
    message('mails', 'already-registered.sign-in'),
    { label: message('mails', 'choose-password'), link },
    message('mails', 'already-registered.end'),
  ],
});

/** To an address that an administrator gave to a user. */
export const emailSetMail = ({ link, code }: { link: Link; code: string }): Mail => ({
  template: 'email-set',
  subject: message('mails', 'email-set.subject'),
  goodFor: lifetimes.emailChallengeSeconds,
  parts: [
    hello(),
    message('mails', 'email-set.why'),
    { label: message('mails', 'confirm-address'), link },
    message('mails', 'email-set.code'),
    { code },
    message('mails', 'email-set.end', { duration }),
  ],
});

/** To the new address. */
export const emailChangeConfirmMail = ({ link }: { link: Link }): Mail => ({
  template: 'email-change-confirm',
  subject: message('mails', 'email-change-confirm.subject'),
  goodFor: lifetimes.emailChallengeSeconds,
  parts: [
    hello(),
    message('mails', 'email-change-confirm.why'),
    { label: message('mails', 'email-change-confirm.use'), link },
    message('mails', 'email-change-confirm.end', { duration }),
  ],
});

export interface EmailChangeNotice {
  name: string | null;
  at: Date;
  /** To the page that restores the old address. Null for an address that was never confirmed. */
  link: Link | null;
  /** What an administrator did, if it was not the user. */
  byAdmin?: 'replaced' | 'removed' | undefined;
}

const CHANGES = {
  replaced: 'email-change-notice.changed-by-admin',
  removed: 'email-change-notice.removed-by-admin',
} as const;

/** To the old address. */
export const emailChangeNoticeMail = ({ name, at, link, byAdmin }: EmailChangeNotice): Mail => ({
  template: 'email-change-notice',
  subject: message(
    'mails',
    byAdmin === 'removed' ? 'email-change-notice.subject-removed' : 'email-change-notice.subject',
  ),
  reason: link ? 'notice' : 'given',
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(name),
    message('mails', byAdmin ? CHANGES[byAdmin] : 'email-change-notice.changed', { at }),
    ...(link
      ? [
          message(
            'mails',
            byAdmin ? 'email-change-notice.did-you-ask' : 'email-change-notice.was-it-you',
          ),
          { label: message('mails', 'email-change-notice.keep'), link },
          message('mails', 'email-change-notice.end', {
            duration: { seconds: lifetimes.emailRestoreSeconds },
          }),
        ]
      : [message('mails', 'email-change-notice.unconfirmed')]),
  ],
});
