import type { OutgoingMail } from '#models/index';
import { unsealJson, type Secrets } from '#src/platform/crypto/secrets';
import type { Message } from '#src/platform/mail/transport';

type Payload = Pick<Message, 'to' | 'subject' | 'text' | 'html'>;

/** The recipient of a mail that is written but never sent. */
export const NO_RECIPIENT = '';
const PURPOSE = 'outgoing-mail';

/**
 * Encrypts a mail for the outbox. Who can read the table learns nothing of it, and who can write to the table cannot make
 * this server send a link of theirs.
 */
export const encryptMail = (secrets: Secrets, { to, subject, text, html }: Payload): string =>
  secrets.seal(PURPOSE, JSON.stringify({ to, subject, text, html }));

/** Undefined when it was encrypted under another APP_SECRET, or was changed since. */
export function decryptMail(
  secrets: Secrets,
  { id, encryptedPayload, createdAt }: OutgoingMail,
): Message | undefined {
  const payload = unsealJson(secrets, PURPOSE, encryptedPayload) as Payload | undefined;
  return payload && { ...payload, id, writtenAt: createdAt };
}
