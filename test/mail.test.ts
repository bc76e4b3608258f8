import { beforeEach, describe, expect, it } from 'vitest';
import { password, startApp } from '#test/support/app';
import { wait } from '#test/support/clock';
import { eventually } from '#test/support/eventually';
import { openMailbox } from '#test/support/mailbox';
import { rowsOf } from '#test/support/process';

const mailbox = await openMailbox();
const { ask, databaseUrl, OutgoingMail, transaction, User } = await startApp({ ...mailbox.env, PUBLIC_URL: 'https://auth.example' });
const { queueMail } = await import('#src/mail/queue');
const { linkTo } = await import('#src/mail/template');
const { wakeDelivery } = await import('#src/mail/delivery');
const { subscribe } = await import('#src/core/events');
const { sharedTime } = await import('#models/clock');

const facts: { name: string; template?: string }[] = [];
subscribe((name, fact) => facts.push({ name, ...fact }));
let sent = 0;
const somebody = () => `somebody${++sent}@example.com`;
const verify = (to: string) => queueMail(to, 'verify-email', { link: linkTo('/verify', { token: 'a+b/c=&' }), code: '012345' });
const emptied = () => eventually(async () => expect(await OutgoingMail.count()).toBe(0));
/** The lease of src/mail/attempt.ts, in milliseconds. */
const LEASE = 150_000;
/** When the mail that was tried so often is due again, in milliseconds from now. While it is being tried that is LEASE, which no pause comes near to. */
const putBack = (tries: number) =>
  eventually(async () => {
    const { dueAt } = await OutgoingMail.findOne({ where: { tries }, rejectOnEmpty: true });
    const pause = dueAt.getTime() - sharedTime().getTime();
    expect(Math.abs(pause - LEASE)).toBeGreaterThan(15_000);
    return pause;
  });

beforeEach(async () => {
  mailbox.answer('RCPT', 'accept');
  mailbox.answer('DATA', 'accept');
  await OutgoingMail.destroy({ where: {} });
  facts.length = 0;
  wait(0);
});

describe('a mail', () => {
  it('arrives once, in text and HTML, from PUBLIC_URL and MAIL_FROM, and is gone from the outbox', async () => {
    const to = somebody();
    await verify(to);
    const mail = await mailbox.next(to);
    expect(mail).toMatchObject({ recipients: [to], subject: 'Confirm your e-mail address', code: '012345', secrets: { token: 'a+b/c=&' } });
    expect(mail.link).toMatch(/^https:\/\/auth\.example\/verify\?/);
    expect(mail.html).toContain(mail.link);
    expect(mail.html).toContain('012345');
    expect(mail.from).toBe('Sallyport <auth@example.com>');
    expect(mail.headers.get('auto-submitted')).toBe('auto-generated');
    await emptied();
    expect(mailbox.all(to)).toHaveLength(1);
    await eventually(() => expect(facts).toEqual([{ name: 'mail.sent', mailId: expect.any(String), template: 'verify-email' }]));
  });

  it('leaves after the commit, and never when its cause is undone', async () => {
    const [kept, undone] = [somebody(), somebody()];
    const failing = transaction(async () => {
      await verify(undone);
      expect(await OutgoingMail.count()).toBe(1);
      throw new Error('on purpose');
    });
    await expect(failing).rejects.toThrow('on purpose');
    expect(await OutgoingMail.count()).toBe(0);
    await transaction(async () => {
      await verify(kept);
      wakeDelivery(); // too early: nobody sees it yet
      expect(mailbox.all(kept)).toEqual([]);
    });
    await mailbox.next(kept);
    await emptied();
    expect(mailbox.all(undone)).toEqual([]);
  });

  it('lies sealed in the outbox: neither address nor link nor code can be read there', async () => {
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
    const link = linkTo('/x');
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
      await expect(queueMail(to, 'reset-password', { link }), JSON.stringify(to)).rejects.toThrow('not an e-mail address');
    expect(await OutgoingMail.count()).toBe(0);
    for (const [to, recipient] of [
      ['Ada.Lovelace+x@Example.COM', 'Ada.Lovelace+x@example.com'],
      ['ada@müller.example', 'ada@xn--mller-kva.example'],
    ] as const) {
      await queueMail(to, 'reset-password', { link });
      expect((await mailbox.next(recipient)).recipients).toEqual([recipient]);
    }
  });
});

describe('a mail server', () => {
  it('that refuses for now is asked again, later each time', async () => {
    mailbox.answer('RCPT', 450);
    const to = somebody();
    await queueMail(to, 'password-changed', { at: new Date(), link: linkTo('/forgot') });
    const pauses: number[] = [];
    for (let tries = 1; tries <= 10; tries++) {
      const pause = await putBack(tries);
      pauses.push(pause / 1000);
      wait(pause - 1);
      wakeDelivery(); // not yet
      wait(1);
      if (tries === 10) mailbox.answer('RCPT', 'accept');
      wakeDelivery();
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
    const failed = { name: 'mail.failed', mailId: expect.any(String), template: 'verify-email', why: 'EENVELOPE RCPT TO 550' };
    await eventually(() => expect(facts).toEqual([failed]));
  });

  it('that would relay nothing for us is asked again: that can be mended', async () => {
    mailbox.answer('RCPT', 554);
    const to = somebody();
    await verify(to);
    const pause = await putBack(1);
    mailbox.answer('RCPT', 'accept');
    wait(pause);
    wakeDelivery();
    await mailbox.next(to);
    await emptied();
  });

  it('that wants no mail from us is asked until the mail is of no more use', async () => {
    mailbox.answer('DATA', 550);
    await queueMail(somebody(), 'reset-password', { link: linkTo('/reset') });
    for (let tries = 1; tries < 6; tries++) {
      wait(await putBack(tries));
      wakeDelivery();
    }
    await emptied();
    await eventually(() => expect(facts).toMatchObject([{ name: 'mail.failed', template: 'reset-password' }]));
  });

  it('that hears nothing for too long gets no link that is dead', async () => {
    mailbox.answer('RCPT', 450);
    const to = somebody();
    await queueMail(to, 'reset-password', { link: linkTo('/reset') });
    await putBack(1);
    mailbox.answer('RCPT', 'accept');
    wait(901_000);
    wakeDelivery();
    await emptied();
    expect(mailbox.all(to)).toEqual([]);
    await eventually(() => expect(facts).toMatchObject([{ name: 'mail.failed', why: 'expired' }]));
  });
});

it('a mail on its way holds up nobody: neither requests nor other mails', async () => {
  mailbox.answer('RCPT', 'hold');
  const [first, second] = [somebody(), somebody()];
  await verify(first);
  await eventually(() => expect(mailbox.holding).toBe(1));
  expect((await ask('POST', '/auth/register', { body: { username: 'unhurried', password } })).status).toBe(201);
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
  await transaction(async () => {
    for (const to of many) await verify(to);
  });
  for (const to of many) await mailbox.next(to);
  await emptied();
  for (const to of many) expect(mailbox.all(to)).toHaveLength(1);
});
