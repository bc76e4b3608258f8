import { Op } from 'sequelize';
import type { Context } from '#src/context';
import { decryptMail } from '#src/platform/mail/encrypted-payload';
import { recipientOf } from '#src/platform/mail/outbox';

interface WaitingMail {
  template: string;
  subject: string | undefined;
  createdAt: Date;
  expiresAt: Date;
}

/** Mails that are decrypted at a time. */
const PAGE_SIZE = 100;

/**
 * The mails that wait to be sent to an address: kind, subject and times, never their links. Rows do not say whom they are
 * for, so each is decrypted. One that was encrypted under another APP_SECRET is nobody's.
 */
export async function* queuedMailsTo(
  { db, secrets }: Context,
  to: string | null,
): AsyncGenerator<WaitingMail[]> {
  if (to === null) return;
  const recipient = recipientOf(to);
  for (let last = ''; ;) {
    const where = { id: { [Op.gt]: last } };
    const rows = await db.OutgoingMail.findAll({ where, order: ['id'], limit: PAGE_SIZE });
    yield rows.flatMap((row) => {
      const { template, createdAt, expiresAt } = row;
      const mail = decryptMail(secrets, row);
      const { subject } = mail ?? {};
      return mail?.to === recipient ? [{ template, subject, createdAt, expiresAt }] : [];
    });
    if (rows.length < PAGE_SIZE) return;
    last = rows.at(-1)!.id;
  }
}
