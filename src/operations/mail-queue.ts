import { Op } from 'sequelize';
import type { OutgoingMail } from '#models/index';
import type { Context } from '#src/context';
import { sealedNewestFirst, type SealedPage } from '#src/platform/http/cursor';
import { Problem } from '#src/platform/http/problem';
import { LEASE_MS } from '#src/platform/mail/deliver';
import { decryptMail, NO_RECIPIENT } from '#src/platform/mail/encrypted-payload';

/** A mail that waits, as an operator sees it: never its subject, text, links or recipient. */
export interface QueuedMail {
  id: string;
  /** The kind of mail. */
  template: string;
  /** The domain of the recipient: whose mail server may be away. Null if this APP_SECRET does not open the mail. */
  domain: string | null;
  attempts: number;
  createdAt: Date;
  nextAttemptAt: Date;
  expiresAt: Date;
}

/** A range of the index. */
const ALL = { id: { [Op.gt]: '' } };

/** One page of the mails that wait, newest first. @throws {Problem} 400 `invalid_request` for a cursor of another list */
export async function listMails(ctx: Context, page: SealedPage) {
  const { OutgoingMail } = ctx.db;
  const { data, nextCursor } = await sealedNewestFirst(ctx, ['mails'], OutgoingMail, ALL, page);
  return { data: data.map((mail) => queuedMail(ctx, mail)), nextCursor };
}

/**
 * Lets a mail be sent now. One that is being sent, or is due within minutes, stays as it is: it must not be sent twice.
 * @throws {Problem} 404 `not_found`
 */
export async function retryMail(ctx: Context, id: string): Promise<QueuedMail> {
  const { db, clock, outbox } = ctx;
  const waits = { [Op.gt]: clock.date(LEASE_MS) };
  const now = { nextAttemptAt: clock.date() };
  await db.OutgoingMail.update(now, { where: { id, nextAttemptAt: waits } });
  const mail = await db.OutgoingMail.findByPk(id);
  if (!mail) throw new Problem('not_found');
  db.afterCommit(() => outbox.wake());
  return queuedMail(ctx, mail);
}

/**
 * Deletes a mail that is not to be sent. One that is being sent arrives all the same.
 * @throws {Problem} 404 `not_found`
 */
export const dropMail = ({ db, events }: Context, id: string): Promise<void> =>
  db.transaction(async () => {
    const mail = await db.OutgoingMail.findByPk(id, { attributes: ['template'] });
    if (!mail || (await db.OutgoingMail.destroy({ where: { id } })) === 0)
      throw new Problem('not_found');
    events.emit('mail.dropped', { mailId: id, template: mail.template });
  });

function queuedMail(ctx: Context, mail: OutgoingMail): QueuedMail {
  const { id, template, attempts, createdAt, nextAttemptAt, expiresAt } = mail;
  const domain = domainOf(ctx, mail);
  return { id, template, domain, attempts, createdAt, nextAttemptAt, expiresAt };
}

function domainOf({ secrets }: Context, mail: OutgoingMail): string | null {
  const { to } = decryptMail(secrets, mail) ?? { to: NO_RECIPIENT };
  return to === NO_RECIPIENT ? null : to.slice(to.lastIndexOf('@') + 1);
}
