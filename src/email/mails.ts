import { inWords, lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import { hello, writtenTime } from '#src/user-mail/wording';

const challengeLifetime = inWords(lifetimes.emailChallengeSeconds);

/** To an address that somebody gave as theirs. */
export const verifyEmailMail = ({ link, code }: { link: Link; code: string }): Mail => ({
  template: 'verify-email',
  subject: 'Confirm your e-mail address',
  goodFor: lifetimes.emailChallengeSeconds,
  parts: [
    'Hello,',
    'Somebody, probably you, signed up with this e-mail address. Please confirm that it is yours:',
    { label: 'Confirm this address', link },
    'Or type this code where you signed up:',
    { code },
    `The link is good for ${challengeLifetime}. If you did not sign up, do nothing: without this confirmation the address is not used.`,
  ],
});

/** To the owner of an address that somebody tried to register again, or to change theirs to. */
export const alreadyRegisteredMail = ({ link }: { link: Link }): Mail => ({
  template: 'already-registered',
  subject: 'You are registered already',
  goodFor: lifetimes.emailChallengeSeconds,
  parts: [
    'Hello,',
    'Somebody, maybe you, gave this e-mail address as theirs. It is registered already, and nothing was changed.',
    'If it was you, sign in as usual. If you do not remember your password, choose a new one:',
    { label: 'Choose a new password', link },
    'If it was not you, do nothing. The person who tried was not told that you are registered.',
  ],
});

/** To an address that an administrator gave to a user. */
export const emailSetMail = ({ link, code }: { link: Link; code: string }): Mail => ({
  template: 'email-set',
  subject: 'Confirm your new e-mail address',
  goodFor: lifetimes.emailChallengeSeconds,
  parts: [
    'Hello,',
    'An administrator wrote this e-mail address down for an account. Please confirm that it is yours:',
    { label: 'Confirm this address', link },
    'Or type this code where you are asked for it:',
    { code },
    `The link is good for ${challengeLifetime}. If you have no account here, do nothing: without this confirmation the address is not used.`,
  ],
});

/** To the new address. */
export const emailChangeConfirmMail = ({ link }: { link: Link }): Mail => ({
  template: 'email-change-confirm',
  subject: 'Confirm your new e-mail address',
  goodFor: lifetimes.emailChallengeSeconds,
  parts: [
    'Hello,',
    'Somebody, probably you, wants to use this e-mail address from now on. Please confirm that it is yours:',
    { label: 'Use this address', link },
    `The link is good for ${challengeLifetime}. If it was not you, do nothing: the address is not used.`,
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

const whatChanged = ({ byAdmin }: EmailChangeNotice) =>
  byAdmin === 'removed'
    ? 'an administrator removed this e-mail address from an account.'
    : `${byAdmin ? 'an administrator' : 'somebody, probably you,'} gave another e-mail address to be used in place of this one.`;

/** To the old address. */
export const emailChangeNoticeMail = (change: EmailChangeNotice): Mail => ({
  template: 'email-change-notice',
  subject: `Your e-mail address ${change.byAdmin === 'removed' ? 'was removed' : 'is being changed'}`,
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(change.name),
    `On ${writtenTime(change.at)} ${whatChanged(change)}`,
    ...(change.link
      ? [
          change.byAdmin
            ? 'If you asked for that, all is well. If you did not, keep this address:'
            : 'If that was you, all is well. If it was not, keep this address:',
          { label: 'Keep this address', link: change.link },
          `The link is good for ${inWords(lifetimes.emailRestoreSeconds)}.`,
        ]
      : [
          'If that was you, all is well. If it was not, and the account is yours, sign in and choose a new password. If you know nothing of it, do nothing: somebody else gave this address as theirs.',
        ]),
  ],
});
