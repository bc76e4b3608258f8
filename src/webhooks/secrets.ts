import type { Webhook } from '#models/index';
import type { Context } from '#src/context';
import { newWebhookSecret } from '#src/webhooks/sign';

const PURPOSE = 'webhook secret';

/** A new secret, and what the database keeps of it. */
export function makeSecret({ secrets }: Context): { secret: string; sealedSecret: string } {
  const secret = newWebhookSecret();
  return { secret, sealedSecret: secrets.seal(PURPOSE, secret) };
}

/**
 * The secrets that sign now, the newest first.
 * @throws {Error} when they are encrypted under another APP_SECRET
 */
export function signingSecrets({ secrets, clock }: Context, webhook: Webhook): string[] {
  const { sealedSecret, sealedPreviousSecret, previousSecretExpiresAt } = webhook;
  const isPreviousValid =
    sealedPreviousSecret && previousSecretExpiresAt && previousSecretExpiresAt > clock.date();
  return [sealedSecret, ...(isPreviousValid ? [sealedPreviousSecret] : [])].map(
    (sealed) => secrets.unseal(PURPOSE, sealed).plain,
  );
}

/**
 * Encrypts the secrets again that are encrypted under APP_SECRET_PREVIOUS, so that the setting can go. One that was
 * replaced meanwhile stays as it is.
 */
export async function sealWebhookSecretsAgain({ db, secrets }: Context): Promise<void> {
  for (const { id, sealedSecret, sealedPreviousSecret } of await db.Webhook.findAll()) {
    const all = [sealedSecret, sealedPreviousSecret].map(
      (sealed) => sealed && secrets.unseal(PURPOSE, sealed),
    );
    if (!all.some((each) => each && each.stale)) continue;
    const [current, previous] = all.map((each) => each && secrets.seal(PURPOSE, each.plain));
    await db.Webhook.update(
      { sealedSecret: current!, sealedPreviousSecret: previous || null },
      { where: { id, sealedSecret, sealedPreviousSecret: sealedPreviousSecret ?? null } },
    );
  }
}
