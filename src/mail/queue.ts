import { v7 as uuid } from 'uuid';
import { sharedTime } from '#models/clock';
import { OutgoingMail } from '#models/index';
import { afterCommit } from '#models/transaction';
import { wakeDelivery } from '#src/mail/delivery';
import { NOBODY, sealMail } from '#src/mail/sealed';
import { render } from '#src/mail/template';
import { templates, type Templates } from '#src/mail/templates';
import { email } from '#src/users/identifiers';

/**
 * Puts a mail into the outbox: one row, written in the transaction around this call and undone with it. Nobody waits for the mail
 * server: delivery begins after the commit. `to` is an address as `src/users/identifiers` accepts it; anything else is refused. Null is
 * nobody: whoever must not learn that there is nobody to write to cannot tell by the time it takes.
 */
export async function queueMail<N extends keyof Templates>(
  to: string | null,
  template: N,
  data: Parameters<Templates[N]>[0],
): Promise<void> {
  const fill = templates[template] as (filled: typeof data) => ReturnType<Templates[N]>;
  const filled = fill(data);
  const now = sharedTime();
  await OutgoingMail.create({
    id: uuid(),
    template,
    sealedMail: sealMail({ to: to === null ? NOBODY : asciiOf(to), ...render(filled) }),
    dueAt: now,
    expiresAt: new Date(now.getTime() + filled.goodFor * 1000),
  });
  afterCommit(wakeDelivery);
}

/** The address as SMTP takes it: the domain in its IDNA form. What stands before the @ is the recipient's business, and stays. */
function asciiOf(to: string): string {
  const found = email(to);
  if ('code' in found) throw new Error('A mail is to go to what is not an e-mail address.');
  return found.display.slice(0, found.display.lastIndexOf('@')) + found.canonical.slice(found.canonical.lastIndexOf('@'));
}
