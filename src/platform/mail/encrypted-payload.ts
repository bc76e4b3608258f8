import type { OutgoingMail } from '#models/index';
import type { Secrets } from '#src/platform/crypto/secrets';
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

/** @throws {Error} when it was encrypted under another APP_SECRET, or was changed since */
export const decryptMail = (
  secrets: Secrets,
  { id, encryptedPayload, createdAt }: OutgoingMail,
): Message => ({
  ...(JSON.parse(secrets.unseal(PURPOSE, encryptedPayload).plain) as Payload),
  id,
  writtenAt: createdAt,
});
