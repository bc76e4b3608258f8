import { UniqueConstraintError } from 'sequelize';
import { v7 as uuid } from 'uuid';
import type { Service } from '#models/index';
import type { Context } from '#src/context';
import { lifetimes } from '#src/lifetimes';
import { takeTurn } from '#src/platform/database/take-turn';
import { sealedNewestFirst, type SealedPage } from '#src/platform/http/cursor';
import { etagOf, requireMatch } from '#src/platform/http/etag';
import { Problem } from '#src/platform/http/problem';
import type { NewService, ServiceChanges } from '#src/services/schemas';
import { newServiceSecret, serviceDigest } from '#src/services/secret';
import { unchecked, type Before } from '#src/sessions/require-live-permission';

interface Condition {
  before?: Before;
  /** The header If-Match. */
  ifMatch?: string | undefined;
}
/** A service, and its new secret, which is answered this once. */
export interface WithSecret {
  service: Service;
  secret: string;
}

/** Changes with whatever somebody may change. */
export const etagOfService = ({ id, name, scopes }: Service): string => etagOf([id, name, scopes]);

/** @throws {Problem} 409 `conflict` if another one has the name */
export async function createService(
  ctx: Context,
  { name, scopes }: NewService,
  before = unchecked,
): Promise<WithSecret> {
  const { db, events } = ctx;
  const secret = newServiceSecret();
  const service = await uniquely(() =>
    db.transaction(async () => {
      await before();
      const made = await db.Service.create({
        id: uuid(),
        name,
        scopes: scopes.join(' '),
        secretDigest: serviceDigest(secret),
      });
      events.emit('service.created', { serviceId: made.id });
      return made;
    }),
  );
  return { service, secret };
}

async function uniquely<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UniqueConstraintError)) throw error;
    throw new Problem('conflict', { cause: error });
  }
}

/** One page, newest first. @throws {Problem} 400 `invalid_request` for a cursor of another list */
export const listServices = (ctx: Context, page: SealedPage) =>
  sealedNewestFirst(ctx, ['services'], ctx.db.Service, {}, page);

/** @throws {Problem} 404 `not_found` */
export async function serviceOf({ db }: Context, id: string): Promise<Service> {
  const service = await db.Service.findByPk(id);
  if (!service) throw new Problem('not_found');
  return service;
}

/** The row, which nobody else changes until the transaction around this call ends. */
async function turnOf(ctx: Context, id: string): Promise<Service> {
  await takeTurn(ctx.db.Service, { id });
  return serviceOf(ctx, id);
}

/**
 * Changes what is given. It binds on the next request of the service.
 * @throws {Problem} 404 `not_found`, 409 `conflict` if another one has the name, 412 `precondition_failed`
 */
export const updateService = (
  ctx: Context,
  id: string,
  { name, scopes }: ServiceChanges,
  { before = unchecked, ifMatch }: Condition = {},
): Promise<Service> =>
  uniquely(() =>
    ctx.db.transaction(async () => {
      await before();
      const service = await turnOf(ctx, id);
      requireMatch(ifMatch, etagOfService(service));
      await service.update({
        ...(name !== undefined && { name }),
        ...(scopes && { scopes: scopes.join(' ') }),
      });
      ctx.events.emit('service.updated', { serviceId: id });
      return service;
    }),
  );

/** Binds on the next request of the service. @throws {Problem} 404 `not_found` */
export const deleteService = (ctx: Context, id: string, before = unchecked): Promise<void> =>
  ctx.db.transaction(async () => {
    const { db, events } = ctx;
    await before();
    if ((await db.Service.destroy({ where: { id } })) === 0) throw new Problem('not_found');
    events.emit('service.deleted', { serviceId: id });
  });

/**
 * Makes a new secret. With `keepPrevious` the one before is good for a while, too, so that the service can change over; the
 * one before that is void.
 * @throws {Problem} 404 `not_found`
 */
export async function rotateServiceSecret(
  ctx: Context,
  id: string,
  keepPrevious: boolean,
  before = unchecked,
): Promise<WithSecret> {
  const { db, clock, events } = ctx;
  const secret = newServiceSecret();
  const service = await db.transaction(async () => {
    await before();
    const found = await turnOf(ctx, id);
    await found.update({
      secretDigest: serviceDigest(secret),
      previousSecretDigest: keepPrevious ? found.secretDigest : null,
      previousSecretExpiresAt: keepPrevious
        ? clock.date(lifetimes.serviceSecretOverlapSeconds * 1000)
        : null,
    });
    events.emit('service.secret_rotated', { serviceId: id });
    return found;
  });
  return { service, secret };
}
