import { Op } from 'sequelize';
import type { OutgoingMail } from '#models/index';
import type { Context } from '#src/context';
import { HOUR_MS } from '#src/lifetimes';
import { skipCacheInvalidation } from '#src/platform/database/commits';
import { decryptMail, NO_RECIPIENT } from '#src/platform/mail/encrypted-payload';
import { NotSent, type Message, type Send } from '#src/platform/mail/transport';

/** Longest time of one attempt. */
const ATTEMPT_TIMEOUT_MS = 60_000;
/** After so long, others may take over a mail: well after the attempt must have ended. */
export const LEASE_MS = 150_000;
/** The pause after the first attempt. It doubles with each further one, up to the longest. */
const FIRST_PAUSE_MS = 15_000;
const LONGEST_PAUSE_MS = HOUR_MS;
/** How many mails are looked at for one that nobody else takes. */
const CANDIDATES = 10;

const BY_SERVER = { kind: 'server' } as const;

/** Optimistic lock on `attempts`: no rows if another node took the mail. */
const whereOurs = ({ id, attempts }: OutgoingMail) => ({
  where: { id, attempts },
  ...skipCacheInvalidation,
});

/**
 * Takes the mail that has waited longest, for LEASE_MS. Undefined if none is due. Of several callers, on any number of
 * nodes, one gets it.
 */
export async function takeNext({ db, clock }: Context): Promise<OutgoingMail | undefined> {
  for (;;) {
    const due = await db.OutgoingMail.findAll({
      where: { nextAttemptAt: { [Op.lte]: clock.date() } },
      order: [['nextAttemptAt', 'ASC']],
      limit: CANDIDATES,
    });
    if (due.length === 0) return undefined;
    for (const mail of due) {
      const taken = { attempts: mail.attempts + 1, nextAttemptAt: clock.date(LEASE_MS) };
      const [rows] = await db.OutgoingMail.update(taken, whereOurs(mail));
      if (rows === 1) return mail.set(taken);
    }
  }
}

/**
 * Makes one attempt to send a mail that was taken. Afterwards it is deleted, or due later, or given up. If `stopped`
 * aborts the attempt, it is due at once, for other nodes.
 */
export async function deliver(
  ctx: Context,
  mail: OutgoingMail,
  send: Send,
  stopped: AbortSignal,
): Promise<void> {
  const { db, clock, log, events } = ctx;
  const { id: mailId, template, attempts, expiresAt } = mail;
  if (expiresAt <= clock.date()) return giveUp(ctx, mail, 'expired');
  try {
    const message = messageOf(ctx, mail);
    if (message.to === NO_RECIPIENT) return void (await db.OutgoingMail.destroy(whereOurs(mail)));
    const timeout = AbortSignal.timeout(ATTEMPT_TIMEOUT_MS);
    const { file } = await send(message, AbortSignal.any([stopped, timeout]));
    if (file) log.info({ mailId, template, file }, 'there is no SMTP_URL: a mail became a file');
    await db.transaction(async () => {
      await db.OutgoingMail.destroy(whereOurs(mail));
      events.emit('mail.sent', { mailId, template }, BY_SERVER);
    });
  } catch (error) {
    // Any other error is the database's: the lease runs out, and some node tries again.
    if (!(error instanceof NotSent)) throw error;
    const postpone = (nextAttemptAt: Date) =>
      db.OutgoingMail.update({ nextAttemptAt }, whereOurs(mail));
    if (stopped.aborted) return void (await postpone(clock.date()));
    const nextAttemptAt = clock.date(pauseAfter(attempts));
    if (error.isPermanent || nextAttemptAt >= expiresAt) return giveUp(ctx, mail, error.why);
    log.warn(
      { mailId, template, attempts, why: error.why },
      'a mail was not sent, and will be tried again',
    );
    await postpone(nextAttemptAt);
  }
}

async function giveUp({ db, log, events }: Context, mail: OutgoingMail, why: string) {
  const { id: mailId, template, attempts } = mail;
  const isOurs = await db.transaction(async () => {
    if ((await db.OutgoingMail.destroy(whereOurs(mail))) === 0) return false;
    events.emit('mail.failed', { mailId, template, why }, BY_SERVER);
    return true;
  });
  if (isOurs) log.error({ mailId, template, attempts, why }, 'a mail was given up');
}

function messageOf({ secrets }: Context, mail: OutgoingMail): Message {
  const message = decryptMail(secrets, mail);
  if (message) return message;
  const error = new Error('it was encrypted under another APP_SECRET');
  throw new NotSent(Object.assign(error, { code: 'SEALED' }));
}

/** 15 s, 30 s, 1 min … up to an hour. Up to a tenth longer by chance, so that not all are due at the same time. */
const pauseAfter = (attempts: number) =>
  Math.min(FIRST_PAUSE_MS * 2 ** (attempts - 1), LONGEST_PAUSE_MS) * (1 + Math.random() / 10);
