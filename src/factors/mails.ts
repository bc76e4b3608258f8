import { lifetimes } from '#src/lifetimes';
import type { Link, Mail } from '#src/platform/mail/template';
import { hello, writtenTime } from '#src/user-mail/wording';

interface Notice {
  name: string | null;
  at: Date;
  /** To the page that asks for a new password. */
  link: Link;
}
interface FactorNotice extends Notice {
  kind: string;
}

const KINDS: Readonly<Record<string, string>> = {
  totp: 'an authenticator app',
  passkey: 'a passkey',
};
const inWords = (kind: string) => KINDS[kind] ?? 'a second factor';

/** The mail about a change of how somebody signs in: what happened, what else there is to say, and what to do. */
const notice = (
  template: string,
  subject: string,
  { name, link }: Notice,
  ...lines: string[]
): Mail => ({
  template,
  subject,
  goodFor: lifetimes.noticeSeconds,
  parts: [
    hello(name),
    ...lines,
    'If that was you, all is well. If it was not, somebody else can get in: choose a new password, and tell whoever runs this service. They can remove second factors that are not yours.',
    { label: 'Choose a new password', link },
  ],
});

/** A passkey is more than a second factor: whoever has it gets in. */
const useOf = (kind: string) =>
  kind === 'passkey'
    ? 'It signs you in without a password, and is asked for after other ways to sign in.'
    : 'It is asked for when you sign in.';

export const factorAddedMail = (given: FactorNotice): Mail =>
  notice(
    'factor-added',
    'A second factor was added',
    given,
    `On ${writtenTime(given.at)}, ${inWords(given.kind)} was added to your account. ${useOf(given.kind)}`,
  );

export const factorRemovedMail = (given: FactorNotice): Mail =>
  notice(
    'factor-removed',
    'A second factor was removed',
    given,
    `On ${writtenTime(given.at)}, ${inWords(given.kind)} was removed from your account.`,
  );

export const factorRenamedMail = (given: FactorNotice): Mail =>
  notice(
    'factor-renamed',
    'A second factor was renamed',
    given,
    `On ${writtenTime(given.at)}, ${inWords(given.kind)} of your account was given another name.`,
  );

export const factorsResetMail = (given: Notice): Mail =>
  notice(
    'factors-reset',
    'Your second factors were removed',
    given,
    `On ${writtenTime(given.at)}, an administrator removed all second factors and recovery codes from your account. Your password is enough to sign in until you add another one.`,
  );

export const recoveryCodesRenewedMail = (given: Notice): Mail =>
  notice(
    'recovery-codes-renewed',
    'You have new recovery codes',
    given,
    `On ${writtenTime(given.at)}, new recovery codes were made for your account. Those from before are void.`,
  );

export const recoveryCodeUsedMail = (given: Notice & { left: number }): Mail =>
  notice(
    'recovery-code-used',
    'A recovery code was used',
    given,
    `On ${writtenTime(given.at)}, somebody signed in to your account with one of your recovery codes. There are ${given.left} left.`,
  );
