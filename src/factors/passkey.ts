import type { FactorKind } from '#src/factors/factor-kind';
import { lifetimes } from '#src/lifetimes';
import { isFirstUse } from '#src/one-time-tokens/one-time-tokens';
import { alarm } from '#src/passkeys/alarm';
import { CounterWentBack, findPasskey, passkeysOf, provePasskey } from '#src/passkeys/use';
import { NotVerified, requestOptions } from '#src/passkeys/webauthn';
import { AssertedCredential, RequestOptions } from '#src/platform/http/webauthn-json';

/** A passkey of the user signs the challenge of the request. It is spent with that challenge. */
export const passkey: FactorKind<AssertedCredential> = {
  name: 'passkey',
  member: 'credential',
  answer: AssertedCredential,
  isAvailable: async ({ db, settings }, userId) =>
    settings.passkeyRpId !== undefined &&
    (await db.Factor.count({ where: { userId, kind: 'passkey' } })) > 0,
  async verify(ctx, { userId, challenge }, credential) {
    const found = await findPasskey(ctx, credential.id);
    if (found?.factor?.userId !== userId) return null;
    try {
      await provePasskey(ctx, found, credential, challenge);
    } catch (error) {
      if (error instanceof CounterWentBack) await alarm(ctx, found);
      if (error instanceof NotVerified) return null;
      throw error;
    }
    const isUnspent = await isFirstUse(
      ctx,
      'passkey second factor',
      challenge,
      lifetimes.passkeyChallengeSeconds,
    );
    return isUnspent ? { amr: ['hwk', 'user'] } : null;
  },
  options: {
    member: 'publicKey',
    schema: RequestOptions,
    async make(ctx, { userId, challenge }) {
      const { passkeyRpId } = ctx.settings;
      const known = passkeyRpId === undefined ? [] : await passkeysOf(ctx, userId);
      return known.length > 0 ? requestOptions(passkeyRpId!, challenge, known) : undefined;
    },
  },
};
