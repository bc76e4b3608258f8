import { Op } from 'sequelize';
import { unnoticed } from '#models/commits';
import { sharedTime } from '#models/clock';
import { OutgoingMail } from '#models/index';
import { emit } from '#src/core/events';
import { log } from '#src/core/log';
import { NotSent, type Mail, type Send } from '#src/core/mailer';
import { NOBODY, openMail } from '#src/mail/sealed';

/** The longest that one try may take; and when others may take whoever tries for dead, which is well after. In milliseconds. */
const TRY = 60_000;
const LEASE = 150_000;
/** The first pause between two tries, which then doubles, and the longest. In milliseconds. */
const FIRST_PAUSE = 15_000;
const LONGEST_PAUSE = 3_600_000;
/** How many to look at for one that nobody else takes. */
const LOOK = 10;
/** The row as this try knows it: once another node has taken it over, it is nobody's business here any more. */
const mine = ({ id, tries }: OutgoingMail) => ({ where: { id, tries }, ...unnoticed });

/** Takes the mail that has waited longest, for LEASE; undefined if none is due. Of several callers, on any number of nodes, one gets it. */
export async function takeNext(): Promise<OutgoingMail | undefined> {
  for (;;) {
    const due = await OutgoingMail.findAll({ where: { dueAt: { [Op.lte]: sharedTime() } }, order: [['dueAt', 'ASC']], limit: LOOK });
    if (due.length === 0) return undefined;
    for (const mail of due) {
      const taken = { tries: mail.tries + 1, dueAt: later(LEASE) };
      const [rows] = await OutgoingMail.update(taken, mine(mail));
      if (rows === 1) return mail.set(taken);
    }
  }
}

/** Tries once to send a mail that was taken. Then it is gone, or put back for later, or given up: with `stopped`, put back for others. */
export async function attempt(mail: OutgoingMail, send: Send, stopped: AbortSignal): Promise<void> {
  const { id: mailId, template, tries, expiresAt } = mail;
  if (expiresAt <= sharedTime()) return giveUp(mail, 'expired');
  try {
    const content = opened(mail);
    if (content.to === NOBODY) return void (await OutgoingMail.destroy(mine(mail)));
    const { file } = await send(content, AbortSignal.any([stopped, AbortSignal.timeout(TRY)]));
    if (file) log.info({ mailId, template, file }, 'there is no SMTP_URL: a mail became a file');
    await OutgoingMail.destroy(mine(mail));
    emit('mail.sent', { mailId, template });
  } catch (error) {
    if (!(error instanceof NotSent)) throw error; // the database: the lease runs out, and somebody tries again
    if (stopped.aborted) return void (await OutgoingMail.update({ dueAt: sharedTime() }, mine(mail)));
    const dueAt = later(pauseAfter(tries));
    if (error.forGood || dueAt >= expiresAt) return giveUp(mail, error.why);
    log.warn({ mailId, template, tries, why: error.why }, 'a mail was not sent, and will be tried again');
    await OutgoingMail.update({ dueAt }, mine(mail));
  }
}

async function giveUp(mail: OutgoingMail, why: string): Promise<void> {
  const { id: mailId, template, tries } = mail;
  if ((await OutgoingMail.destroy(mine(mail))) === 0) return;
  log.error({ mailId, template, tries, why }, 'a mail was given up');
  emit('mail.failed', { mailId, template, why });
}

function opened(mail: OutgoingMail): Mail {
  try {
    return openMail(mail);
  } catch (cause) {
    throw new NotSent(Object.assign(new Error('it was sealed under another APP_SECRET', { cause }), { code: 'SEALED' }));
  }
}

/** 15 s, 30 s, 1 min … up to an hour; a little longer by chance, so that not all come back at once. */
const pauseAfter = (tries: number) => Math.min(FIRST_PAUSE * 2 ** (tries - 1), LONGEST_PAUSE) * (1 + Math.random() / 10);
const later = (ms: number) => new Date(sharedTime().getTime() + ms);
