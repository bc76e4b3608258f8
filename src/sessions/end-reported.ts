import type { Context } from '#src/context';
import { spendToken } from '#src/one-time-tokens/one-time-tokens';
import { Problem } from '#src/platform/http/problem';
import { endSessions } from '#src/sessions/end-sessions';
import type { ReportedSession } from '#src/sessions/new-device';
import { END_SESSION } from '#src/user-mail/mail-tokens';

/**
 * Ends the one session that a mail names: about a sign-in on a new device, or an administrator who acts for the user. It may have ended before: its owner is told
 * the same.
 * @throws {Problem} 400 `invalid_code`
 */
export const endReported = (ctx: Context, token: string): Promise<void> =>
  ctx.db.transaction(async () => {
    const grant = await spendToken<ReportedSession>(ctx, END_SESSION, token);
    if (!grant?.userId) throw new Problem('invalid_code');
    const { sessionId: id } = grant.data;
    await endSessions(ctx, { id, userId: grant.userId }, 'reported');
  });
