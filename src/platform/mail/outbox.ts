import { v7 as uuid } from 'uuid';
import type { Context } from '#src/context';
import { parseEmail } from '#src/platform/email-address';
import { encryptMail, NO_RECIPIENT } from '#src/platform/mail/encrypted-payload';
import { render, type Mail } from '#src/platform/mail/template';
import { isLocale, type Locale } from '#src/platform/messages/locales';

/** Of a user, what decides in which language a mail is written. */
export interface MailReader {
  readonly id: string;
  readonly locale: string | null;
}

/** Tells the worker of this process that there is a mail in the outbox. */
export interface OutboxSignal {
  /** Does nothing where no worker runs: that of another process finds the mail. */
  wake(): void;
  /** Sets what `wake` calls. Undefined: nothing. */
  onWake(fn: (() => void) | undefined): void;
}

export function createOutboxSignal(): OutboxSignal {
  let listener: (() => void) | undefined;
  return {
    wake: () => listener?.(),
    onWake(fn) {
      listener = fn;
    },
  };
}

/**
 * Puts a mail into the outbox: one row, written in the transaction around this call and undone with it. Nobody waits for
 * the mail server: delivery begins after the commit. `to: null` writes a row that is never sent, so that timing does not
 * reveal unknown addresses.
 * `reader`: the user with this address, if there is one.
 *
 * @throws {Error} when `to` is no address that `parseEmail` accepts
 */
export async function queueMail(
  ctx: Context,
  to: string | null,
  mail: Mail,
  reader?: MailReader | null,
): Promise<void> {
  const { db, clock, secrets, outbox, settings, messages, look } = ctx;
  const rendered = render(settings, mail, messages.language(localeFor(ctx, reader)), look.mail);
  const recipient = to === null ? NO_RECIPIENT : recipientOf(to);
  const now = clock.now();
  await db.OutgoingMail.create({
    id: uuid(),
    template: mail.template,
    encryptedPayload: encryptMail(secrets, { to: recipient, ...rendered }),
    nextAttemptAt: new Date(now),
    expiresAt: new Date(now + mail.goodFor * 1000),
  });
  db.afterCommit(() => outbox.wake());
}

/**
 * The address for SMTP: its domain in the IDNA form. The part before the @ stays as it was typed (RFC 5321 §2.4).
 * @throws {Error} when it is no address
 */
export function recipientOf(to: string): string {
  const found = parseEmail(to);
  if ('code' in found) throw new Error('A mail is to go to what is not an e-mail address.');
  const { display, canonical } = found;
  return display.slice(0, display.lastIndexOf('@')) + canonical.slice(canonical.lastIndexOf('@'));
}

/**
 * The language that the reader has chosen; or else that of the request, unless it is somebody else who asks: an
 * administrator has a language of their own.
 */
function localeFor({ request, settings }: Context, reader: MailReader | null | undefined): Locale {
  if (isLocale(reader?.locale)) return reader.locale;
  const info = request.getStore();
  const asker = info?.user as { id?: string } | undefined;
  const isOther = asker !== undefined && asker.id !== reader?.id;
  const { defaultLocale } = settings;
  return isOther ? defaultLocale : (info?.localeOr?.(defaultLocale) ?? defaultLocale);
}
