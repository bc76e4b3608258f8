import type { Context } from '#src/context';
import { dropMail, listMails, retryMail, type QueuedMail } from '#src/operations/mail-queue';
import { readStats, type Stats } from '#src/operations/stats';

/** What an operator looks at, for code in the same process. */
export type OperationsApi = ReturnType<typeof operationsApi>;

export const operationsApi = (ctx: Context) => ({
  mails: {
    /** One page of the mails that wait, newest first. `limit` is 1 to 100. */
    list: (page: { limit: number; cursor?: string }) => listMails(ctx, page),
    /** Lets a mail be sent now, unless it is due within minutes. @throws {Problem} 404 `not_found` */
    retry: (id: string): Promise<QueuedMail> => retryMail(ctx, id),
    /** Deletes a mail that is not to be sent. @throws {Problem} 404 `not_found` */
    drop: (id: string): Promise<void> => dropMail(ctx, id),
  },
  /** Numbers of users, sessions and mails, and what happened in the last days, 1 to 30. Reads a bounded number of rows. */
  stats: (days = 7, hours = 24): Promise<Stats> => readStats(ctx, days, hours),
});
