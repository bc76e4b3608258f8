import type { OutgoingMail } from '#models/index';
import { seal, unseal } from '#src/core/secrets';
import type { Mail } from '#src/core/mailer';

type Content = Pick<Mail, 'to' | 'subject' | 'text' | 'html'>;
/** The recipient of a mail that is only written. */
export const NOBODY = '';
const PURPOSE = 'outgoing-mail';

/** A mail as it lies in the outbox: who reads the table learns nothing, who writes to it can send no link elsewhere. */
export const sealMail = ({ to, subject, text, html }: Content): string => seal(PURPOSE, JSON.stringify({ to, subject, text, html }));

/** Throws if it was sealed under another APP_SECRET. */
export const openMail = ({ id, sealedMail, createdAt }: OutgoingMail): Mail => ({
  ...(JSON.parse(unseal(PURPOSE, sealedMail).plain) as Content),
  id,
  writtenAt: createdAt,
});
