import { beforeEach, describe, expect, it } from 'vitest';
import { verifyEmailMail } from '#src/email/mails';
import { passwordChangedMail, resetPasswordMail } from '#src/passwords/mails';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo } from '#src/platform/mail/template';
import { password, startApp } from '#test/support/app';
import { wait } from '#test/support/clock';
import { eventually } from '#test/support/eventually';
import { openMailbox } from '#test/support/mailbox';
import { rowsOf } from '#test/support/process';

const mailbox = await openMailbox();
const { ctx, ask, databaseUrl, OutgoingMail, User } = await startApp({
  ...mailbox.env,
  PUBLIC_URL: 'https://auth.example',
});
const { settings } = ctx;

const events: { name: string; template?: string }[] = [];
ctx.events.onAny((name, event) => void events.push({ name, ...event }));
let sent = 0;
const somebody = () => `somebody${++sent}@example.com`;
const verify = (to: string) => {
  const link = linkTo(settings, '/verify', { token: 'a+b/c=&' });
  return queueMail(ctx, to, verifyEmailMail({ link, code: '012345' }));
};
const reset = (to: string) =>
  queueMail(ctx, to, resetPasswordMail({ name: null, link: linkTo(settings, '/reset') }));
const emptied = () => eventually(async () => expect(await OutgoingMail.count()).toBe(0));
/** The lease of src/platform/mail/deliver.ts, in milliseconds. */
const LEASE = 150_000;
/** The pause after so many attempts, in milliseconds. During an attempt it would be about LEASE. */
const pauseAfter = (attempts: number) =>
  eventually(async () => {
    const mail = await OutgoingMail.findOne({ where: { attempts }, rejectOnEmpty: true });
    const pause = mail.nextAttemptAt.getTime() - ctx.clock.now();
    expect(Math.abs(pause - LEASE)).toBeGreaterThan(15_000);
    return pause;
  });

beforeEach(async () => {
  mailbox.answer('RCPT', 'accept');
  mailbox.answer('DATA', 'accept');
  await OutgoingMail.destroy({ where: {} });
  events.length = 0;
  wait(0);
});

describe('a mail', () => {
  it('arrives once, in text and HTML, from PUBLIC_URL and MAIL_FROM, and is gone from the outbox', async () => {
    const to = somebody();
    await verify(to);
    const mail = await mailbox.next(to);
    expect(mail).toMatchObject({
      recipients: [to],
      subject: 'Confirm your e-mail address',
      code: '012345',
      secrets: { token: 'a+b/c=&' },
    });
    expect(mail.link).toMatch(/^https:\/\/auth\.example\/verify\?/);
    expect(mail.html).toContain(mail.link);
    expect(mail.html).toContain('012345');
    expect(mail.from).toBe('Sallyport <auth@example.com>');
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
    await emptied();
    expect(mailbox.all(to)).toHaveLength(1);
    await eventually(() =>
      expect(events).toEqual([
        { name: 'mail.sent', mailId: expect.any(String), template: 'verify-email' },
      ]),
    );
  });

  it('leaves after the commit, and never when its cause is undone', async () => {
    const [kept, undone] = [somebody(), somebody()];
    const failing = ctx.db.transaction(async () => {
      await verify(undone);
      expect(await OutgoingMail.count()).toBe(1);
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    expect(await OutgoingMail.count()).toBe(0);
    await ctx.db.transaction(async () => {
      await verify(kept);
      ctx.outbox.wake(); // too early: the row is not committed
      expect(mailbox.all(kept)).toEqual([]);
    });
    await mailbox.next(kept);
    await emptied();
    expect(mailbox.all(undone)).toEqual([]);
  });

  it('is encrypted in the outbox: neither address nor link nor code can be read there', async () => {
    mailbox.answer('RCPT', 'hold');
    const to = somebody();
    await verify(to);
    await eventually(() => expect(mailbox.holding).toBe(1));
    const [row] = await rowsOf(databaseUrl, 'SELECT * FROM outgoing_mails');
    const bytes = Buffer.from(String(row!['sealed_mail']), 'base64url').toString('latin1');
    expect(bytes.length).toBeGreaterThan(1000);
    expect(bytes + JSON.stringify(row)).not.toMatch(/somebody|012345|auth\.example|Confirm/);
    mailbox.answer('RCPT', 'accept');
    mailbox.release();
    await mailbox.next(to);
    await emptied();
  });

  it('goes to one address, and to nothing that is none (N-13)', async () => {
    for (const to of [
      'a@b.example\r\nBcc: x@y.example',
      'a@b.example\n',
      'a@b.example, x@y.example',
      'a <x@y.example>',
      '"a\r\n"@b.example',
      'a@b.example\0',
      '',
      'nobody',
    ])
      await expect(reset(to), JSON.stringify(to)).rejects.toThrow('not an e-mail address');
    expect(await OutgoingMail.count()).toBe(0);
    for (const [to, recipient] of [
      ['Ada.Lovelace+x@Example.COM', 'Ada.Lovelace+x@example.com'],
      ['ada@müller.example', 'ada@xn--mller-kva.example'],
    ] as const) {
      await reset(to);
      expect((await mailbox.next(recipient)).recipients).toEqual([recipient]);
    }
  });
});

describe('a mail server', () => {
  it('that refuses for now is asked again, later each time', async () => {
    mailbox.answer('RCPT', 450);
    const to = somebody();
    const link = linkTo(settings, '/forgot');
    await queueMail(ctx, to, passwordChangedMail({ name: null, at: new Date(), link }));
    const pauses: number[] = [];
    for (let attempts = 1; attempts <= 10; attempts++) {
      const pause = await pauseAfter(attempts);
      pauses.push(pause / 1000);
      wait(pause - 1);
      ctx.outbox.wake(); // not yet
      wait(1);
      if (attempts === 10) mailbox.answer('RCPT', 'accept');
      ctx.outbox.wake();
    }
    await mailbox.next(to);
    await emptied();
    for (const [i, pause] of pauses.entries()) {
      const least = Math.min(15 * 2 ** i, 3600);
      expect(pause).toBeGreaterThanOrEqual(least - 1);
      expect(pause).toBeLessThanOrEqual(least * 1.1 + 1);
    }
    expect(mailbox.all(to)).toHaveLength(1);
  });

  it('that knows no such recipient is asked once', async () => {
    mailbox.answer('RCPT', 550);
    await verify(somebody());
    await emptied();
    const failed = {
      name: 'mail.failed',
      mailId: expect.any(String),
      template: 'verify-email',
      why: 'EENVELOPE RCPT TO 550',
    };
    await eventually(() => expect(events).toEqual([failed]));
  });

  it('that would relay nothing for us is asked again: that can be mended', async () => {
    mailbox.answer('RCPT', 554);
    const to = somebody();
    await verify(to);
    const pause = await pauseAfter(1);
    mailbox.answer('RCPT', 'accept');
    wait(pause);
    ctx.outbox.wake();
    await mailbox.next(to);
    await emptied();
  });

  it('that wants no mail from us is asked until the mail is of no more use', async () => {
    mailbox.answer('DATA', 550);
    await reset(somebody());
    for (let attempts = 1; attempts < 6; attempts++) {
      wait(await pauseAfter(attempts));
      ctx.outbox.wake();
    }
    await emptied();
    await eventually(() =>
      expect(events).toMatchObject([{ name: 'mail.failed', template: 'reset-password' }]),
    );
  });

  it('that hears nothing for too long gets no link that is dead', async () => {
    mailbox.answer('RCPT', 450);
    const to = somebody();
    await reset(to);
    await pauseAfter(1);
    mailbox.answer('RCPT', 'accept');
    wait(901_000);
    ctx.outbox.wake();
    await emptied();
    expect(mailbox.all(to)).toEqual([]);
    await eventually(() => expect(events).toMatchObject([{ name: 'mail.failed', why: 'expired' }]));
  });
});

it('a mail on its way holds up nobody: neither requests nor other mails', async () => {
  mailbox.answer('RCPT', 'hold');
  const [first, second] = [somebody(), somebody()];
  await verify(first);
  await eventually(() => expect(mailbox.holding).toBe(1));
  expect(
    (await ask('POST', '/auth/register', { body: { username: 'unhurried', password } })).status,
  ).toBe(201);
  await User.update({ name: 'Ada' }, { where: { usernameCanonical: 'unhurried' } });
  mailbox.answer('RCPT', 'accept');
  await verify(second);
  await mailbox.next(second);
  expect(mailbox.all(first)).toEqual([]);
  mailbox.release();
  await mailbox.next(first);
  await emptied();
});

it('more mails than are sent at a time all arrive, each once', async () => {
  const many = Array.from({ length: 30 }, somebody);
  await ctx.db.transaction(async () => {
    for (const to of many) await verify(to);
  });
  for (const to of many) await mailbox.next(to);
  await emptied();
  for (const to of many) expect(mailbox.all(to)).toHaveLength(1);
});
