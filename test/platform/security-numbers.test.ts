import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it, vi } from 'vitest';
import { SERVICE_FAILURES, SIGN_IN } from '#src/authentication/limits';
import { emailChangeConfirmMail, emailChangeNoticeMail, verifyEmailMail } from '#src/email/mails';
import { EXPORT } from '#src/personal-data/limits';
import { CODE } from '#src/one-time-tokens/limits';
import { FORGOT, PASSWORD_GUESS } from '#src/passwords/limits';
import { resetPasswordMail } from '#src/passwords/mails';
import type { LimitClass } from '#src/platform/limits/limit-class';
import type { Message } from '#src/platform/messages/message';
import { createMessages } from '#src/platform/messages/messages';
import { linkTo } from '#src/platform/mail/template';
import { SettingsSchema } from '#src/platform/settings/schema';
import { SIGN_UP } from '#src/registration/limits';
import { NEW_SIGN_IN_MAIL, REFRESH } from '#src/sessions/limits';
import { newSignInMail } from '#src/sessions/mails';
import { LOGIN_FAILURES } from '#src/users/limits';
import { ADMIN_MAIL, ADMIN_MAIL_ADDRESS } from '#src/user-mail/admin-mail-limit';
import { MAIL } from '#src/user-mail/mail-limit';
import { lifetimes as lifetimesOf } from '#src/lifetimes';
import { signInMail, TTL_SECONDS } from '#strategies/_email-code';
import { password, startApp } from '#test/support/app';
import { wait } from '#test/support/clock';
import { root } from '#test/support/process';

const { ctx, ask, register, OneTimeToken, User } = await startApp({
  EMAIL_VERIFICATION: 'optional',
});

/** The rows of a table in SECURITY.md, by their first cell. */
function rowsOf(heading: string): Record<string, string[]> {
  const section = readFileSync(join(root, 'SECURITY.md'), 'utf8')
    .split(/^### /m)
    .find((text) => text.startsWith(heading))!;
  const rows = [...section.matchAll(/^\| (.*)\|$/gm)].map(([, row]) =>
    row!.split('|').map((cell) => cell.trim()),
  );
  return Object.fromEntries(
    rows.slice(1).map(([first, ...rest]) => [first!.replace(/ \(.*/, ''), rest]),
  );
}

const UNITS: Record<string, number> = {
  'a minute': 60,
  'an hour': 3600,
  'a day': 86_400,
  'in 15 minutes': 900,
};

it('Limits: the table has the numbers of the limit classes', () => {
  const told = Object.entries(rowsOf('Limits')).map(([what, [most]]) => [
    what,
    [...most!.matchAll(/(\d+)[^;,]*?(a minute|an hour|a day|in 15 minutes)/g)].map(
      ([, max, unit]) => [Number(max), UNITS[unit!]],
    ),
  ]);
  const kept = (...classes: LimitClass[]) =>
    classes.flatMap(({ rules }) =>
      rules(ctx.settings).map(({ max, window }) => [max, window / 1000]),
    );
  expect(Object.fromEntries(told)).toEqual({
    'Attempts to sign in': kept(SIGN_IN),
    'Failures to sign in to an account': kept(LOGIN_FAILURES),
    'Attempts to register': kept(SIGN_UP),
    Refreshing: kept(REFRESH),
    'Mail that anybody can ask for': kept(FORGOT, MAIL),
    'Mail that administrators cause: invitations, links for a new password or address, acting for a user':
      kept(ADMIN_MAIL, ADMIN_MAIL_ADDRESS),
    'Mail about a sign-in on a new device': kept(NEW_SIGN_IN_MAIL),
    'Codes and tokens from mails and redirects': kept(CODE),
    'Asking for the own password, with a token': kept(PASSWORD_GUESS),
    'Exporting all that is known of oneself': kept(EXPORT),
    'Wrong secrets of services': kept(SERVICE_FAILURES),
    'Everything together': [
      ...ctx.settings.limitRequestsPerNetwork,
      ...ctx.settings.limitRequestsPerSite,
      ...ctx.settings.limitRequestsPerSession,
      ...ctx.settings.limitRequestsPerService,
    ].map(({ max, window }) => [max, window / 1000]),
  });
});

it('Lifetimes: the table has those of links in mails, and so do the mails', async () => {
  wait(0); // so that a token is made and dated at one time
  const email = 'ada@example.com';
  const me = await register({ email });
  const lifetimes: Record<string, number> = {};
  const look = async () => {
    for (const { purpose, expiresAt, createdAt } of await OneTimeToken.findAll({
      where: { userId: me.id },
    }))
      lifetimes[purpose] = Math.round((expiresAt.getTime() - createdAt.getTime()) / 1000);
  };
  await look();
  await User.update({ emailVerifiedAt: new Date() }, { where: { id: me.id } });
  await ask('POST', '/auth/password/forgot', { body: { email } });
  await me.ask('POST', '/me/email', {
    body: { email: 'lovelace@example.com', currentPassword: password },
  });
  await look();
  vi.useRealTimers();

  const table = rowsOf('Lifetimes');
  const [minutes, hours] = [60, 3600];
  const english = createMessages().language('en');
  const written = (part: unknown) =>
    part instanceof Object && 'area' in part ? english.write(part as Message) : part;
  const mail = { name: null, link: linkTo(ctx.settings, '/'), code: '012345', at: new Date() };
  for (const [row, words, seconds, purpose, write] of [
    ['Link to confirm an address', '24 hours', 24 * hours, 'verify e-mail', verifyEmailMail],
    ['Link to confirm an address', '24 hours', 24 * hours, 'change e-mail', emailChangeConfirmMail],
    [
      'Link to choose a new password',
      '15 minutes',
      15 * minutes,
      'reset password',
      resetPasswordMail,
    ],
    [
      'Link to take an old address back',
      '72 hours',
      72 * hours,
      'restore e-mail',
      emailChangeNoticeMail,
    ],
  ] as const) {
    expect(Object.entries(table).find(([what]) => what.startsWith(row))![1][0], row).toBe(words);
    expect(lifetimes[purpose], purpose).toBe(seconds);
    const { goodFor, parts, template } = write(mail);
    expect(
      [goodFor, JSON.stringify(parts.map(written)).includes(`The link is good for ${words}`)],
      template,
    ).toEqual([seconds, true]);
  }
  const [[, [told]]] = Object.entries(table).filter(([what]) =>
    what.startsWith('Code to sign in by mail'),
  ) as [[string, string[]]];
  const started = { device: null, ip: null, strategy: 'local', host: 'auth.example' };
  const { parts: notice } = newSignInMail({ ...mail, ...started });
  const [endLink] = table['Link to sign out a new device']!;
  expect([endLink, lifetimesOf.sessionEndLinkSeconds]).toEqual(['7 days', 7 * 24 * hours]);
  expect(JSON.stringify(notice.map(written))).toContain(`The link is good for ${endLink}`);
  const { goodFor, parts } = signInMail(ctx.settings, '012345', undefined);
  expect([told, TTL_SECONDS, goodFor]).toEqual(['10 minutes', 10 * minutes, 10 * minutes]);
  expect(JSON.stringify(parts.map(written))).toContain(`good for ${told}`);
});

it('Lifetimes: an access token lives for 1 to 60 minutes', async () => {
  const [, from, to] = /(\d+) to (\d+) minutes/.exec(rowsOf('Lifetimes')['Access token']![1]!)!;
  const taken = (seconds: number) =>
    SettingsSchema.shape.ACCESS_TOKEN_TTL.safeParse(String(seconds)).success;
  expect(
    [Number(from) * 60 - 1, Number(from) * 60, Number(to) * 60, Number(to) * 60 + 1].map(taken),
  ).toEqual([false, true, true, false]);
});
