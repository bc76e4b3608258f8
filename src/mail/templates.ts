import type { Link, Template } from '#src/mail/template';

const MINUTE = 60;
const HOUR = 60 * MINUTE;
/** A notice is worth reading for so long. */
const NOTICE = 72 * HOUR;

type Name = string | null | undefined;

/**
 * A greeting only by what mail programs do not turn into a link or a number to call: a name is chosen by whoever signs up, maybe with
 * somebody else's address. Mails to an address that nobody has confirmed greet nobody.
 */
const hello = (name: Name) => (name && name.length <= 60 && !/[/:@\\\d]|[.。．｡]\S|www/i.test(name) ? `Hello ${name},` : 'Hello,');
const when = (at: Date) => `${at.toLocaleString('en-GB', { dateStyle: 'long', timeStyle: 'short', timeZone: 'UTC' })} UTC`;

/** Every kind of mail this server sends. Each is a function of plain data; `name` is what the user is called, as far as it is known. */
export const templates = {
  /** To an address that somebody gave as theirs. */
  'verify-email': ({ link, code }: { link: Link; code: string }): Template => ({
    subject: 'Confirm your e-mail address',
    goodFor: 24 * HOUR,
    parts: [
      'Hello,',
      'Somebody, probably you, signed up with this e-mail address. Please confirm that it is yours:',
      { label: 'Confirm this address', link },
      'Or type this code where you signed up:',
      { code },
      'The link is good for 24 hours. If you did not sign up, do nothing: without this confirmation the address is not used, and somebody else has chosen the password.',
    ],
  }),

  /** To the owner of an address that somebody tried to register again, or to change theirs to. */
  'already-registered': ({ link }: { link: Link }): Template => ({
    subject: 'You are registered already',
    goodFor: 24 * HOUR,
    parts: [
      'Hello,',
      'Somebody, maybe you, gave this e-mail address as theirs. It is registered already, and nothing was changed.',
      'If it was you, sign in as usual. If you do not remember your password, choose a new one:',
      { label: 'Choose a new password', link },
      'If it was not you, do nothing. Whoever tried was not told that you are registered.',
    ],
  }),

  'reset-password': ({ name, link }: { name?: Name; link: Link }): Template => ({
    subject: 'Choose a new password',
    goodFor: 15 * MINUTE,
    parts: [
      hello(name),
      'Somebody, probably you, asked for a new password. Choose one here:',
      { label: 'Choose a new password', link },
      'The link is good for 15 minutes, once. You will be signed out everywhere.',
      'If it was not you, do nothing: your password stays as it is.',
    ],
  }),

  'password-changed': ({ name, at, link }: { name?: Name; at: Date; link: Link }): Template => ({
    subject: 'Your password was changed',
    goodFor: NOTICE,
    parts: [
      hello(name),
      `Your password was changed on ${when(at)}, and every other device was signed out.`,
      'If that was you, all is well. If it was not, take your account back now:',
      { label: 'Choose a new password', link },
    ],
  }),

  /** To the new address. */
  'email-change-confirm': ({ link }: { link: Link }): Template => ({
    subject: 'Confirm your new e-mail address',
    goodFor: 24 * HOUR,
    parts: [
      'Hello,',
      'Somebody, probably you, wants to use this e-mail address from now on. Please confirm that it is yours:',
      { label: 'Use this address', link },
      'The link is good for 24 hours. If it was not you, do nothing: the address is not used.',
    ],
  }),

  /** To the old address. */
  'email-change-notice': ({ name, at, link }: { name?: Name; at: Date; link: Link }): Template => ({
    subject: 'Your e-mail address is being changed',
    goodFor: NOTICE,
    parts: [
      hello(name),
      `On ${when(at)} somebody, probably you, gave another e-mail address to be used in place of this one.`,
      'If that was you, all is well. If it was not, keep this address:',
      { label: 'Keep this address', link },
      'The link is good for 72 hours.',
    ],
  }),

  /** `provider` as people know it: GitHub. */
  'identity-linked': ({ name, provider, at, link }: { name?: Name; provider: string; at: Date; link: Link }): Template => ({
    subject: 'A new way to sign in',
    goodFor: NOTICE,
    parts: [
      hello(name),
      `Since ${when(at)} you can sign in with ${provider}, too.`,
      'If you set that up, all is well. If you did not, somebody else can get in: choose a new password and remove what you do not know.',
      { label: 'Choose a new password', link },
    ],
  }),
} as const;

export type Templates = typeof templates;
