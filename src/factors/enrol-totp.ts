import { v7 as uuid } from 'uuid';
import type { Factor, User } from '#models/index';
import type { Context } from '#src/context';
import { addFactor, changeFactors } from '#src/factors/own-factors';
import { newTotp, requireReadable, stepOf } from '#src/factors/totp';
import { Problem } from '#src/platform/http/problem';
import type { Settings } from '#src/platform/settings/settings';
import { proveAgain } from '#src/sessions/reauthenticate';
import { requireLiveSession } from '#src/sessions/require-live-session';
import type { Principal } from '#src/users/principal';

/** Factors of a user that wait to be confirmed. The oldest makes room for another. */
const MAX_PENDING = 3;
export const DEFAULT_NAME = 'Authenticator app';

export interface NewTotp {
  id: string;
  /** Base 32. */
  secret: string;
  uri: string;
  /** SVG. */
  qr: string;
}

/**
 * Makes a secret for an authenticator app, and answers it, this once. It counts for nothing until `confirmTotp`.
 * @throws {Problem} 401 `session_ended`
 */
export async function startTotp(
  ctx: Context,
  principal: Principal,
  name: string = DEFAULT_NAME,
): Promise<NewTotp> {
  const { id: userId } = principal;
  const label = principal.username ?? principal.email ?? userId;
  const { sealed, secret, uri } = await newTotp(ctx, { issuer: issuerOf(ctx.settings), label });
  const id = uuid();
  await ctx.db.transaction(async () => {
    await requireLiveSession(ctx, principal);
    await makeRoom(ctx, userId);
    const createdAt = ctx.clock.date();
    await ctx.db.Factor.create({ id, userId, kind: 'totp', name, secret: sealed, createdAt });
  });
  const { renderSVG } = await import('uqr'); // loaded when somebody uses it
  return { id, secret, uri, qr: renderSVG(uri, { border: 4 }) };
}

/** The host of the server. A port would have a colon, at which apps divide issuer and name. */
const issuerOf = ({ publicUrl }: Settings) => new URL(publicUrl).hostname;

async function makeRoom({ db }: Context, userId: string): Promise<void> {
  const pending = await db.Factor.findAll({
    attributes: ['id'],
    where: { userId, confirmedAt: null },
    order: [['id', 'DESC']],
    offset: MAX_PENDING - 1,
    limit: 100,
  });
  if (pending.length > 0) await db.Factor.destroy({ where: { id: pending.map(({ id }) => id) } });
}

/**
 * Makes a pending factor count, with a code that shows that the app has the secret. That code is spent, and the
 * session is `aal2`: whoever enrolled it goes on. Answers ten
 * recovery codes with the first factor of the user, else null.
 * @throws {Problem} 401 `invalid_credentials` for a wrong code, `session_ended`; 404 `not_found` for a factor that is not
 * pending, or of somebody else; 409 `conflict` if the user has too many, `factor_unreadable`
 */
export const confirmTotp = (
  ctx: Context,
  principal: Principal,
  id: string,
  code: string,
): Promise<{ factor: Factor; recoveryCodes: string[] | null }> =>
  changeFactors(ctx, principal, async (user: User, notify) => {
    const pending = { id, userId: user.id, kind: 'totp', confirmedAt: null };
    const factor = await ctx.db.Factor.findOne({ where: pending });
    if (!factor) throw new Problem('not_found');
    const [app] = requireReadable(ctx, [factor]);
    const lastStep = await stepOf(ctx, app!, code);
    if (lastStep === undefined) throw new Problem('invalid_credentials');
    await factor.update({ confirmedAt: ctx.clock.date(), lastStep });
    const recoveryCodes = await addFactor(ctx, user, factor, notify);
    await proveAgain(ctx, principal, ['otp', 'mfa']);
    return { factor, recoveryCodes };
  });
