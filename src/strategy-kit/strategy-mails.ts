import type { MailReader } from '#src/platform/mail/outbox';
import type { Mail } from '#src/platform/mail/template';

/** Mails of a strategy. They go through the outbox of the server, so nobody waits for a mail server. */
export interface StrategyMails {
  /**
   * False if an address got too many mails that anybody can ask for (LIMIT_MAILS_PER_ADDRESS). Counts one. If it is false,
   * send nothing and answer the same.
   */
  mayAsk(address: string): Promise<boolean>;
  /**
   * Queues a mail. `null` writes a mail that is never sent: where nobody is to be written to, the answer then takes as long.
   * It is written in the language of `reader`, the user who has the address; or else in that of the request.
   * @throws {Error} for a text that is no address
   */
  queue(to: string | null, mail: Mail, reader?: MailReader | null): Promise<void>;
}
