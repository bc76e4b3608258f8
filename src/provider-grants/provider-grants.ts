import { Op, type WhereOptions } from 'sequelize';
import type { Identity } from '#models/index';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { issueToken } from '#src/one-time-tokens/one-time-tokens';
import type { ProviderProfile } from '#src/strategy-kit/provider-profile';

const SEAL_PURPOSE = 'provider grant';
/** The purpose of the rows that `revokeQueued` works off. */
export const REVOCATION = 'grant revocation';

/** A grant that a provider wants back. */
export interface Revocation {
  provider: string;
  grant: string;
}

/** Encrypts the grant of a provider, such as a refresh token, for the row of the identity. */
export const sealGrant = ({ secrets }: Context, grant: string): string =>
  secrets.seal(SEAL_PURPOSE, grant);

/** Keeps the newest grant of an identity that exists: the provider may have ended the one before. */
export async function keepGrant(
  ctx: Context,
  { provider, subject, grant }: ProviderProfile,
): Promise<void> {
  if (grant === undefined) return;
  const sealedGrant = sealGrant(ctx, grant);
  await ctx.db.Identity.update({ sealedGrant }, { where: { provider, subject } });
}

/**
 * To be called before identities are deleted with their user, in the same transaction. What their providers granted
 * is then ended there, once that is committed: see `startRevocations`.
 */
export async function queueRevocations(ctx: Context, where: WhereOptions<Identity>): Promise<void> {
  const found = await ctx.db.Identity.findAll({
    where: { [Op.and]: [where, { sealedGrant: { [Op.ne]: null } }] },
  });
  for (const { provider, sealedGrant } of found) {
    const grant = ctx.secrets.unseal(SEAL_PURPOSE, sealedGrant!)?.plain;
    const data: Revocation | undefined = grant === undefined ? undefined : { provider, grant };
    if (data) await issueToken(ctx, REVOCATION, lifetimes.grantRevocationSeconds, { data });
    else ctx.log.warn({ provider }, 'a grant was encrypted under another APP_SECRET');
  }
}

/** Deletes identities, and ends what their providers granted. To be called in a transaction. */
export async function deleteIdentities(ctx: Context, where: WhereOptions<Identity>): Promise<void> {
  await queueRevocations(ctx, where);
  await ctx.db.Identity.destroy({ where });
}
