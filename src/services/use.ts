import { timingSafeEqual } from 'node:crypto';
import { Op } from 'sequelize';
import type { Db } from '#models/index';
import type { Context } from '#src/context';
import { MINUTE_MS } from '#src/lifetimes';
import { skipCacheInvalidation } from '#src/platform/database/commits';
import { LookUps } from '#src/platform/database/look-ups';
import { serviceScopesIn, type ServiceScope } from '#src/services/scopes';
import type { ProvenSecret } from '#src/services/tokens';
import { timeOf, type Time } from '#src/users/user-rows';

const FIND =
  'SELECT id, name, scopes, secret_digest, previous_secret_digest, previous_secret_expires_at, last_used_at FROM services WHERE id IN';

interface Row {
  id: string;
  name: string;
  scopes: string;
  secret_digest: string;
  previous_secret_digest: string | null;
  previous_secret_expires_at: Time | null;
  last_used_at: Time | null;
}

/** Reads of services, those of one turn of the event loop together. */
export type ServiceLookUps = LookUps<Row>;

export const createServiceLookUps = (db: Db): ServiceLookUps =>
  new LookUps<Row>(db, { text: (list) => `${FIND} (${list})`, keyOf: ({ id }) => id });

/** The service that sends a request. */
export interface AuthenticatedService {
  readonly id: string;
  readonly name: string;
  readonly scopes: readonly ServiceScope[];
}

/** One that has sent its secret. `digest`: of that secret. */
export interface ProvenService extends AuthenticatedService {
  readonly digest: string;
}

/**
 * The service with this id and a secret of this digest. Costs one query, which requests that arrive together share, and at
 * most one write a minute. Whatever is wrong, it takes the same time.
 */
export async function findService(
  ctx: Context,
  { id, digest, scopes: granted }: ProvenSecret,
): Promise<AuthenticatedService | undefined> {
  const [row] = await ctx.serviceLookUps.find(id);
  const given = Buffer.from(digest);
  // Without a row it is compared all the same, with what no secret has.
  const matches = (stored: string | null | undefined) =>
    timingSafeEqual(given, Buffer.from(stored ?? NO_DIGEST));
  const isCurrent = matches(row?.secret_digest);
  const isPrevious = matches(row?.previous_secret_digest);
  if (!row || !(isCurrent || (isPrevious && isStillGood(ctx, row)))) return undefined;
  await noteUse(ctx, id, timeOf(row.last_used_at));
  const scopes = serviceScopesIn(row.scopes);
  const inForce = granted ? scopes.filter((scope) => granted.includes(scope)) : scopes;
  return { id, name: row.name, scopes: inForce };
}

const NO_DIGEST = '-'.repeat(64);

const isStillGood = ({ clock }: Context, { previous_secret_expires_at: end }: Row): boolean =>
  (timeOf(end)?.getTime() ?? 0) > clock.now();

/** A request that only reads is answered even if this cannot be written. */
async function noteUse(ctx: Context, id: string, lastUsedAt: Date | null): Promise<void> {
  const { db, clock, log } = ctx;
  const before = clock.date(-MINUTE_MS);
  if (lastUsedAt && lastUsedAt > before) return;
  const due = { id, lastUsedAt: { [Op.or]: [null, { [Op.lt]: before }] } };
  const used = { lastUsedAt: clock.date() };
  try {
    await db.Service.update(used, { where: due, silent: true, ...skipCacheInvalidation });
  } catch (error) {
    log.warn({ err: error, serviceId: id }, 'the use of a service could not be noted');
  }
}
