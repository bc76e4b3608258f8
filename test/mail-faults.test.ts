import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { startApp } from '#test/support/app';
import { chaosProxy } from '#test/support/chaos-proxy';
import { wait } from '#test/support/clock';
import { eventually } from '#test/support/eventually';
import { openMailbox } from '#test/support/mailbox';
import { long } from '#test/support/rounds';

const mailbox = await openMailbox();
const proxy = await chaosProxy(mailbox.port);
afterAll(() => proxy.close());
const { ask, OutgoingMail, register, transaction } = await startApp({ ...mailbox.env, SMTP_URL: `smtp://127.0.0.1:${proxy.port}` });
const { queueMail } = await import('#src/mail/queue');
const { linkTo } = await import('#src/mail/template');
const { wakeDelivery } = await import('#src/mail/delivery');
const { sharedTime } = await import('#models/clock');
afterEach(() => void vi.useRealTimers());

const MANY = 12; // more than go at a time
let made = 0;
const queueMany = async () => {
  const everybody = Array.from({ length: MANY }, () => `somebody${++made}@example.com`);
  for (const to of everybody)
    await transaction(() => queueMail(to, 'verify-email', { link: linkTo('/verify', { token: 'x' }), code: '012345' }));
  return everybody;
};
/** As good as ever for everybody else: `ask` expects each answer before the mailer gives up. */
const expectUnharmed = async () => {
  const { token, username } = await register();
  expect((await ask('GET', '/me', { token })).status).toBe(200);
  expect((await ask('GET', '/readyz')).status).toBe(200);
  expect((await ask('POST', '/auth/login', { body: { identifier: username, password: 'wrong' } })).status).toBe(401);
};
const allTried = () => eventually(async () => expect(await OutgoingMail.count({ where: { tries: 0 } })).toBe(0));
const noneOnItsWay = () =>
  eventually(async () => {
    const far = (await OutgoingMail.findAll()).filter(({ dueAt }) => dueAt.getTime() - sharedTime().getTime() > 60_000);
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
    wakeDelivery();
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
    wakeDelivery();
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
    await queueMail('patient@example.com', 'verify-email', { link: linkTo('/verify'), code: '012345' });
    await sleep(12_000);
    await noneOnItsWay();
    expect(await OutgoingMail.findOne()).toMatchObject({ tries: 1 });
    proxy.set('pass');
    wait(20_000);
    wakeDelivery();
    await expectAll(['patient@example.com']);
  });
});
