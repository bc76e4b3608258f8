import type { Context } from '#src/context';
import { recordReached, tooMany } from '#src/platform/http/rate-limit';
import { hitsOf, limitClass, per } from '#src/platform/limits/limit-class';
import type { Principal } from '#src/users/principal';

/** Mails that one administrator causes, whoever they go to. */
export const ADMIN_MAIL = limitClass('admin-mail', (settings) =>
  per('account', settings.limitMailsPerAdministrator),
);
/** The same by the address that they go to, whichever administrator it was. Apart from what anybody can ask for. */
export const ADMIN_MAIL_ADDRESS = limitClass('admin-mail-address', (settings) =>
  per('account', settings.limitMailsPerAddress),
);

/**
 * Counts a mail that an administrator causes. Call it before the transaction of its cause. `by`: undefined for an operator
 * or the app, who may mail as they like. `addresses`: canonical; null where there is no mail.
 * @throws {Problem} 429 `rate_limited`
 */
export async function countAdminMail(
  ctx: Context,
  by: Principal | undefined,
  ...addresses: readonly (string | null | undefined)[]
): Promise<void> {
  const { settings, limits } = ctx;
  if (!by || settings.limits === 'off') return;
  const hits = [
    ...hitsOf(settings, ADMIN_MAIL, () => by.id),
    ...addresses.flatMap((to) => hitsOf(settings, ADMIN_MAIL_ADDRESS, () => to ?? undefined)),
  ];
  const full = await limits.hit(hits);
  if (!full) return;
  const reached = { limit: full.hit.limit, ip: undefined, userId: by.id };
  if (full.news) await recordReached(ctx, reached);
  throw tooMany(ctx, hits, full);
}
