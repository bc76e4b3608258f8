import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { verifyEmailMail } from '#src/email/mails';
import { queueMail } from '#src/platform/mail/outbox';
import { linkTo } from '#src/platform/mail/template';
import { startApp } from '#test/support/app';
import { chaosProxy } from '#test/support/chaos-proxy';
import { wait } from '#test/support/clock';
import { eventually } from '#test/support/eventually';
import { openMailbox } from '#test/support/mailbox';
import { long } from '#test/support/rounds';

const mailbox = await openMailbox();
const proxy = await chaosProxy(mailbox.port);
afterAll(() => proxy.close());
const { ctx, ask, OutgoingMail, register } = await startApp({
  ...mailbox.env,
  SMTP_URL: `smtp://127.0.0.1:${proxy.port}`,
});
afterEach(() => void vi.useRealTimers());

const MANY = 12; // more than are sent at a time
let made = 0;
const queue = (to: string) => {
  const link = linkTo(ctx.settings, '/verify', { token: 'x' });
  return queueMail(ctx, to, verifyEmailMail({ link, code: '012345' }));
};
const queueMany = async () => {
  const everybody = Array.from({ length: MANY }, () => `somebody${++made}@example.com`);
  for (const to of everybody) await ctx.db.transaction(() => queue(to));
  return everybody;
};
/** Requests are answered as always. `ask` fails if an answer takes as long as an attempt to send a mail. */
const expectUnharmed = async () => {
  const { token, username } = await register();
  expect((await ask('GET', '/me', { token })).status).toBe(200);
  expect((await ask('GET', '/readyz')).status).toBe(200);
  expect(
    (await ask('POST', '/auth/login', { body: { identifier: username, password: 'wrong' } }))
      .status,
  ).toBe(401);
};
const allTried = () =>
  eventually(async () => expect(await OutgoingMail.count({ where: { attempts: 0 } })).toBe(0));
const noneOnItsWay = () =>
  eventually(async () => {
    const far = (await OutgoingMail.findAll()).filter(
      ({ nextAttemptAt }) => nextAttemptAt.getTime() - ctx.clock.now() > 60_000,
    );
    expect(far).toEqual([]);
  });
const expectAll = async (everybody: string[]) => {
  for (const to of everybody) await mailbox.next(to);
  await eventually(async () => expect(await OutgoingMail.count()).toBe(0));
  for (const to of everybody) expect(mailbox.all(to)).toHaveLength(1);
};

describe('a mail server (X-23)', () => {
  it('that is frozen harms no request, and its mails arrive when it thaws', async () => {
    proxy.set('hold');
    const everybody = await queueMany();
    await expectUnharmed();
    expect(await OutgoingMail.count()).toBe(MANY);
    proxy.set('refuse');
    await allTried();
    await noneOnItsWay();
    proxy.set('pass');
    wait(20_000);
    ctx.outbox.wake();
    await expectAll(everybody);
  });

  it('that refuses or drops every connection harms no request either', async () => {
    proxy.set('refuse');
    const everybody = await queueMany();
    await allTried();
    await expectUnharmed();
    await noneOnItsWay();
    proxy.set('pass');
    wait(20_000);
    ctx.outbox.wake();
    await expectAll(everybody);
  });

  it('that is slow gets its mails, one after the other', async () => {
    proxy.set(20);
    const everybody = await queueMany();
    await expectUnharmed();
    await expectAll(everybody);
    proxy.set('pass');
  });

  it.runIf(long)('that never says a word is given up, and asked again', async () => {
    proxy.set('hold');
    await queue('patient@example.com');
    await sleep(12_000);
    await noneOnItsWay();
    expect(await OutgoingMail.findOne()).toMatchObject({ attempts: 1 });
    proxy.set('pass');
    wait(20_000);
    ctx.outbox.wake();
    await expectAll(['patient@example.com']);
  });
});
