import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import { verifyEmailMail } from '#src/email/mails';
import { openContext } from '#src/open-context';
import { takeNext } from '#src/platform/mail/deliver';
import { queueMail } from '#src/platform/mail/outbox';
import { startOutboxWorker } from '#src/platform/mail/outbox-worker';
import { linkTo } from '#src/platform/mail/template';
import { parseSettings, settingsFrom } from '#src/platform/settings/read';
import { testEnv, testSecret } from '#test/support/app';
import { wait } from '#test/support/clock';
import { emptyDatabase } from '#test/support/database';
import { eventually } from '#test/support/eventually';
import { openMailbox } from '#test/support/mailbox';
import { node } from '#test/support/node';
import { settingsFor, startProcess, type Running } from '#test/support/process';
import { rounds } from '#test/support/rounds';

// This process delivers mails only where a test starts a worker.
const mailbox = await openMailbox();
const databaseUrl = await emptyDatabase();
const APP_SECRET = testSecret();
const env = settingsFor(databaseUrl, { ...mailbox.env, APP_SECRET, LOG_LEVEL: 'info' });
const ownEnv = { ...testEnv(databaseUrl, mailbox.env), APP_SECRET };
const ctx = await openContext(parseSettings(settingsFrom(ownEnv)));
const { OutgoingMail } = ctx.db;
afterAll(() => ctx.close());
afterEach(async () => {
  vi.useRealTimers();
  mailbox.answer('RCPT', 'accept');
  mailbox.answer('DATA', 'accept');
  mailbox.release();
  await OutgoingMail.destroy({ where: {} });
});

let made = 0;
const queue = async (many: number) => {
  const everybody = Array.from({ length: many }, () => `canary${++made}@example.com`);
  const link = linkTo(ctx.settings, '/verify', { token: 'canary' });
  await ctx.db.transaction(async () => {
    for (const to of everybody) await queueMail(ctx, to, verifyEmailMail({ link, code: '012345' }));
  });
  return everybody;
};
const holding = (many: number) => eventually(() => expect(mailbox.holding).toBe(many));
const emptied = () => eventually(async () => expect(await OutgoingMail.count()).toBe(0));
const sentBy = ({ heard }: Running) =>
  heard.stdout.split('\n').filter((line) => line.includes('"mail.sent"')).length;

it('of many who take at once, on two nodes, each gets another mail', async () => {
  const there = await node(ownEnv);
  for (let round = 0; round < rounds(3, 100); round++) {
    await queue(10);
    const takers = [ctx, there.ctx].flatMap((each) =>
      Array.from({ length: 10 }, () => takeNext(each)),
    );
    const taken = (await Promise.all(takers)).flatMap((mail) => mail?.id ?? []);
    expect([taken.length, new Set(taken).size]).toEqual([10, 10]);
    await OutgoingMail.destroy({ where: {} });
  }
});

it('two processes share one outbox: each sends, and nothing goes twice', async () => {
  const everybody = await queue(30);
  mailbox.answer('DATA', 'hold');
  const processes = await Promise.all([1, 2].map(() => startProcess(env)));
  await holding(10);
  await sleep(200); // time in which more could arrive
  expect([mailbox.holding, mailbox.all()]).toEqual([10, []]);
  mailbox.answer('DATA', 'accept');
  mailbox.release();
  for (const to of everybody) await mailbox.next(to);
  await emptied();
  for (const to of everybody) expect(mailbox.all(to)).toHaveLength(1);
  for (const { kill } of processes) await kill('SIGTERM');
  const shares = processes.map(sentBy);
  expect(Math.min(...shares)).toBeGreaterThanOrEqual(5);
  expect(shares[0]! + shares[1]!).toBe(30);
  for (const { heard } of processes)
    expect(heard.stdout + heard.stderr).not.toMatch(/canary|012345|Confirm/);
});

it('kill -9 between taking and sending loses nothing; between sending and noting it sends twice at most', async () => {
  const [before] = await queue(1);
  mailbox.answer('RCPT', 'hold');
  const first = await startProcess(env);
  await holding(1);
  await first.kill();
  mailbox.answer('RCPT', 'accept');
  mailbox.release();

  const [after] = await queue(1);
  mailbox.answer('DATA', 'hold');
  const second = await startProcess(env);
  await holding(1);
  await second.kill();
  mailbox.answer('DATA', 'accept');
  mailbox.release();
  await mailbox.next(after!); // it arrived, and the killed process could not note it
  expect(mailbox.all(before)).toEqual([]);
  const rows = await OutgoingMail.findAll();
  expect(rows.map(({ attempts }) => attempts)).toEqual([1, 1]);
  // An attempt may take a minute. Other nodes wait longer than that, so a slow attempt sends nothing twice.
  for (const { nextAttemptAt, createdAt } of rows)
    expect(nextAttemptAt.getTime() - createdAt.getTime()).toBeGreaterThan(90_000);
  wait(150_000);
  const stop = startOutboxWorker(ctx);
  const mail = await mailbox.next(before!);
  const again = await mailbox.next(after!);
  await emptied();
  await stop();
  expect(mailbox.all(before)).toEqual([mail]);
  const copies = mailbox.all(after);
  expect(copies).toHaveLength(2);
  expect(copies[0]!.headers.get('message-id')).toBe(again.headers.get('message-id'));
});

it('told to stop while the mail server is frozen, a process goes at once and leaves the mail to others', async () => {
  const [to] = await queue(1);
  mailbox.answer('RCPT', 'hold');
  const server = await startProcess(env);
  await holding(1);
  expect((await server.kill('SIGTERM')).code).toBe(0);
  const { attempts, nextAttemptAt } = (await OutgoingMail.findOne())!;
  expect(attempts).toBe(1);
  expect(nextAttemptAt.getTime()).toBeLessThanOrEqual(Date.now() + 1000);
  mailbox.answer('RCPT', 'accept');
  mailbox.release();
  wait(2000); // the clock of that process may have been ahead
  const stop = startOutboxWorker(ctx);
  await mailbox.next(to!);
  await emptied();
  await stop();
  expect(mailbox.all(to)).toHaveLength(1);
});
