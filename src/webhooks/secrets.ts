import { isDeepStrictEqual } from 'node:util';
import type { Webhook } from '#models/index';
import type { Context } from '#src/context';
import type { Secrets } from '#src/platform/crypto/secrets';
import { newWebhookSecret } from '#src/webhooks/sign';

const PURPOSE = 'webhook secret';

/** A new secret, and what the database keeps of it. */
export function makeSecret({ secrets }: Context): { secret: string; sealedSecret: string } {
  const secret = newWebhookSecret();
  return { secret, sealedSecret: secrets.seal(PURPOSE, secret) };
}

/** The secrets that sign now, the newest first. None if they are encrypted under an APP_SECRET that is gone. */
export function signingSecrets({ secrets, clock }: Context, webhook: Webhook): string[] {
  const { sealedSecret, sealedPreviousSecret, previousSecretExpiresAt } = webhook;
  const isPreviousValid =
    sealedPreviousSecret && previousSecretExpiresAt && previousSecretExpiresAt > clock.date();
  return [sealedSecret, ...(isPreviousValid ? [sealedPreviousSecret] : [])].flatMap(
    (sealed) => secrets.unseal(PURPOSE, sealed)?.plain ?? [],
  );
}

/** True if these secrets open the one that signs now. */
export const canOpenSecret = ({ unseal }: Secrets, { sealedSecret }: Webhook): boolean =>
  unseal(PURPOSE, sealedSecret) !== undefined;

/**
 * Encrypts the secrets again that are encrypted under APP_SECRET_PREVIOUS, so that the setting can go. One that was
 * replaced meanwhile stays as it is, and so does one that no APP_SECRET opens.
 */
export async function sealWebhookSecretsAgain({ db, secrets }: Context): Promise<void> {
  for (const { id, sealedSecret, sealedPreviousSecret } of await db.Webhook.findAll()) {
    const again = (sealed: string) => {
      const opened = secrets.unseal(PURPOSE, sealed);
      return opened?.stale ? secrets.seal(PURPOSE, opened.plain) : sealed;
    };
    const before = { sealedSecret, sealedPreviousSecret: sealedPreviousSecret ?? null };
    const after = {
      sealedSecret: again(sealedSecret),
      sealedPreviousSecret: sealedPreviousSecret ? again(sealedPreviousSecret) : null,
    };
    if (!isDeepStrictEqual(before, after))
      await db.Webhook.update(after, { where: { id, ...before } });
  }
}
