import type { Context } from '#src/context';
import { parseEmail } from '#src/platform/email-address';
import { queueMail } from '#src/platform/mail/outbox';
import type { StrategyMails } from '#src/strategy-kit/strategy-mails';
import { mayMail } from '#src/user-mail/mail-limit';

/** What a strategy may do with mails. */
export const strategyMails = (ctx: Context): StrategyMails => ({
  async mayAsk(address) {
    const parsed = parseEmail(address);
    if ('code' in parsed)
      throw new Error('A strategy asked for a mail to a text that is no address');
    return mayMail(ctx, parsed.canonical);
  },
  queue: (to, mail, reader) => queueMail(ctx, to, mail, reader),
});
