import { Op } from 'sequelize';
import type { Factor, Passkey, User } from '#models/index';
import type { Context } from '#src/context';
import { unsealSecret } from '#src/factors/totp';
import { UNKNOWN_DEVICE } from '#src/passkeys/use';

/** What a line says of the second factors of its user. */
interface ExportedFactors {
  factors: object[];
  recoveryCodeHashes?: string[] | undefined;
}

/**
 * Second factors by user, in the order in which they were made. Whoever has the secret of an authenticator app has its
 * codes, so it is written only `withSecrets`. Without it, the line still says that there was one.
 *
 * @throws {Error} a sentence, if a secret was encrypted under another APP_SECRET
 */
export async function factorsOf(
  ctx: Context,
  users: readonly User[],
  withSecrets: boolean,
): Promise<Map<string, ExportedFactors>> {
  const userId = users.filter(({ factors }) => factors > 0).map(({ id }) => id);
  if (userId.length === 0) return new Map();
  const found = await ctx.db.Factor.findAll({
    where: { userId, confirmedAt: { [Op.ne]: null } },
    order: ['id'],
  });
  const passkeys = await passkeysOf(ctx, found);
  const codes = withSecrets ? await recoveryCodesOf(ctx, userId) : new Map<string, string[]>();
  const lineOf = (factor: Factor) => {
    const { kind, name, createdAt, lastUsedAt } = factor;
    const passkey = passkeys.get(factor.id);
    const more = passkey
      ? passkeyLine(ctx, passkey)
      : { secret: withSecrets ? secretOf(ctx, factor) : undefined };
    const used = lastUsedAt?.toISOString();
    return { kind, name, ...more, createdAt: createdAt.toISOString(), lastUsedAt: used };
  };
  return new Map(
    [...Map.groupBy(found, (each) => each.userId)].map(([id, own]) => [
      id,
      { factors: own.map(lineOf), recoveryCodeHashes: codes.get(id) },
    ]),
  );
}

function secretOf(ctx: Context, { secret }: Factor): string {
  const opened = unsealSecret(ctx.secrets, secret!);
  if (opened !== undefined) return opened;
  throw new Error(
    'The secret of an authenticator app was encrypted under another APP_SECRET. Set APP_SECRET_PREVIOUS to it, or remove the second factors of its user.',
  );
}

async function passkeysOf({ db }: Context, factors: readonly Factor[]) {
  const factorId = factors.filter(({ kind }) => kind === 'passkey').map(({ id }) => id);
  const found = factorId.length > 0 ? await db.Passkey.findAll({ where: { factorId } }) : [];
  return new Map(found.map((each) => [each.factorId, each]));
}

/** It holds no secret. */
const passkeyLine = ({ settings }: Context, passkey: Passkey) => ({
  rpId: settings.passkeyRpId,
  credentialId: passkey.credentialId,
  publicKey: passkey.publicKey,
  counter: passkey.counter,
  transports: passkey.transports.split(' ').filter(Boolean),
  deviceType: passkey.deviceType === UNKNOWN_DEVICE ? undefined : passkey.deviceType,
  backedUp: passkey.backedUp,
  aaguid: passkey.aaguid,
});

async function recoveryCodesOf({ db }: Context, userId: string[]): Promise<Map<string, string[]>> {
  const found = await db.RecoveryCode.findAll({ where: { userId }, order: ['digest'] });
  const byUser = Map.groupBy(found, (each) => each.userId);
  return new Map([...byUser].map(([id, own]) => [id, own.map(({ digest }) => digest)]));
}
