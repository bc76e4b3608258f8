import type { z } from 'zod';
import type { Service } from '#models/index';
import type { Context } from '#src/context';
import { parsed } from '#src/platform/http/parse';
import {
  createService,
  deleteService,
  listServices,
  rotateServiceSecret,
  updateService,
  type WithSecret,
} from '#src/services/manage';
import { NewService, ServiceChanges } from '#src/services/schemas';

/** What an app may do with services. Secrets are answered once, when they are made. */
export const servicesApi = (ctx: Context) => ({
  /** One page, newest first. `limit`: 1 to 100. */
  list: (asked: {
    limit: number;
    cursor?: string;
  }): Promise<{ data: Service[]; nextCursor: string | null }> => listServices(ctx, asked),
  /** @throws {Problem} 400 `invalid_request`, 409 `conflict` if another one has the name */
  create: async (input: z.input<typeof NewService>): Promise<WithSecret> =>
    createService(ctx, parsed(NewService, input)),
  /** @throws {Problem} 400 `invalid_request`, 404 `not_found`, 409 `conflict` if another one has the name */
  update: async (id: string, changes: z.input<typeof ServiceChanges>): Promise<Service> =>
    updateService(ctx, id, parsed(ServiceChanges, changes)),
  /** Its secrets are void at once. @throws {Problem} 404 `not_found` */
  delete: (id: string): Promise<void> => deleteService(ctx, id),
  /**
   * Replaces the secret. The one before is good for another day, unless `keepPrevious` is false.
   * @throws {Problem} 404 `not_found`
   */
  rotateSecret: (
    id: string,
    { keepPrevious = true }: { keepPrevious?: boolean } = {},
  ): Promise<WithSecret> => rotateServiceSecret(ctx, id, keepPrevious),
});
