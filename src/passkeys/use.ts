import { createHash } from 'node:crypto';
import { Op } from 'sequelize';
import type { Passkey } from '#models/index';
import type { Context } from '#src/context';
import type { AssertedCredential } from '#src/platform/http/webauthn-json';
import { NotVerified, userHandleOf, verifyAsserted, type Seen } from '#src/passkeys/webauthn';

/** Of a passkey of another system. It is as it says at its first use. */
export const UNKNOWN_DEVICE = 'unknown';

/** How a credential is found: an index of MySQL cannot hold its id. */
export const digestOf = (credentialId: string): string =>
  createHash('sha256').update(credentialId).digest('hex');

/** The passkey with this credential id, with its factor. */
export const findPasskey = ({ db }: Context, credentialId: string): Promise<Passkey | null> =>
  db.Passkey.findOne({ where: { digest: digestOf(credentialId) }, include: ['factor'] });

/** Every passkey of a user. */
export const passkeysOf = ({ db }: Context, userId: string): Promise<Passkey[]> =>
  db.Passkey.findAll({ include: [{ association: 'factor', where: { userId }, attributes: [] }] });

/**
 * Checks what a passkey signed, and notes its use.
 * @throws {NotVerified}
 * @throws {CounterWentBack} after a genuine signature
 */
export async function provePasskey(
  ctx: Context,
  passkey: Passkey,
  credential: AssertedCredential,
  challenge: string,
): Promise<void> {
  const seen = await verifyAsserted(ctx.settings, challenge, credential, passkey.publicKey);
  const { userHandle } = credential.response;
  if (userHandle && userHandle !== userHandleOf(passkey.factor!.userId))
    throw new NotVerified('The passkey names another user');
  if (![seen.deviceType, UNKNOWN_DEVICE].includes(passkey.deviceType))
    throw new NotVerified('The passkey says otherwise than before whether it can be copied');
  await noteUse(ctx, passkey, seen);
}

/**
 * A genuine signature, but the authenticator had made more of them at the last one. Somebody has a copy of it: the owner,
 * or whoever signed now.
 */
export class CounterWentBack extends NotVerified {}

/**
 * Of several signatures at the same time, on any nodes, each must count more than the one before: one conditional
 * statement. Authenticators that do not count say 0 for ever.
 */
export async function noteUse({ db, clock }: Context, passkey: Passkey, seen: Seen): Promise<void> {
  const { factorId } = passkey;
  const { counter, backedUp, deviceType } = seen;
  if (counter > 0 || passkey.counter > 0) {
    const where = { factorId, counter: { [Op.lt]: counter } };
    const [changed] = await db.Passkey.update({ counter, backedUp, deviceType }, { where });
    if (changed === 0 && (await db.Passkey.count({ where: { factorId } })) > 0)
      throw new CounterWentBack('The counter of a passkey went back');
  } else if (backedUp !== passkey.backedUp || deviceType !== passkey.deviceType)
    await db.Passkey.update({ backedUp, deviceType }, { where: { factorId } });
  const where = { id: factorId, confirmedAt: { [Op.ne]: null } };
  const [used] = await db.Factor.update({ lastUsedAt: clock.date() }, { where });
  // MySQL counts no row that was used in this millisecond before.
  if (used === 0 && (await db.Factor.count({ where })) === 0)
    throw new NotVerified('The passkey was removed meanwhile');
}
