import { listEntries } from '#src/audit/list';
import type { AuditFilter } from '#src/audit/query';
import type { ShownEntry } from '#src/audit/read';
import type { AuditVerification } from '#src/audit/verification';
import { verifyAudit } from '#src/audit/verify';
import type { Context } from '#src/context';

export const auditApi = (ctx: Context) => ({
  /**
   * One page of the audit trail, newest first. `actor` and `subject` are ids of users. `limit` is 1 to 100.
   * @throws {Problem} 400 `invalid_request` for a cursor of another list
   */
  list: (
    asked: AuditFilter & { limit: number; cursor?: string },
  ): Promise<{ data: ShownEntry[]; nextCursor: string | null }> => listEntries(ctx, asked),
  /** Looks at the whole trail for entries that were changed, removed, moved or added. */
  verify: (): Promise<AuditVerification> => verifyAudit(ctx),
});
