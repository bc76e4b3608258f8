import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Model, ModelStatic } from 'sequelize';
import { z } from 'zod';
import type { Secrets } from '#src/platform/crypto/secrets';
import { newestFirst, Page } from '#src/platform/http/listing';
import { Problem } from '#src/platform/http/problem';

const MAC_BYTES = 16;

/** The query of a list whose cursors are sealed. */
export const SealedPage = Page.extend({
  cursor: z
    .string()
    .regex(/^[\w-]{1,1000}$/)
    .optional()
    .meta({
      description:
        '`nextCursor` of the page before. It is good for this list only, with the same filters and the same order.',
    }),
});
export type SealedPage = z.output<typeof SealedPage>;

/** Which list it is, in which order, by which filters. Two lists that differ in any of them have different names. */
export type ListName = readonly (string | boolean | null | undefined)[];

interface WithSecrets {
  readonly secrets: Pick<Secrets, 'keysFor'>;
}

/** A cursor that names a position in a list. It hides nothing, and nobody can make another one of it. */
export function sealCursor({ secrets }: WithSecrets, list: ListName, position: readonly string[]) {
  const text = JSON.stringify(position);
  const mac = macOf(secrets.keysFor('cursors')[0]!, list, text);
  return Buffer.concat([mac, Buffer.from(text)]).toString('base64url');
}

/**
 * The position that a cursor names, which a request has in this field.
 * @throws {Problem} 400 `invalid_request` for a cursor of another list, and for one that was not made here
 */
export function openCursor(
  { secrets }: WithSecrets,
  list: ListName,
  cursor: string,
  field = 'cursor',
): string[] {
  const bytes = Buffer.from(cursor, 'base64url');
  const [mac, text] = [bytes.subarray(0, MAC_BYTES), bytes.subarray(MAC_BYTES).toString()];
  const isOurs = secrets
    .keysFor('cursors')
    .some((key) => mac.length === MAC_BYTES && timingSafeEqual(macOf(key, list, text), mac));
  if (!isOurs) throw foreignCursor(field);
  return JSON.parse(text) as string[];
}

/**
 * `newestFirst` with cursors of this list only.
 * @throws {Problem} 400 `invalid_request` for a cursor of another list
 */
export async function sealedNewestFirst<M extends Model & { id: string }>(
  ctx: WithSecrets,
  list: ListName,
  table: ModelStatic<M>,
  where: object,
  { limit, cursor }: SealedPage,
): Promise<{ data: M[]; nextCursor: string | null }> {
  const [behind] = cursor === undefined ? [] : openCursor(ctx, list, cursor);
  const { data, nextCursor } = await newestFirst(table, where, { limit, cursor: behind });
  return { data, nextCursor: nextCursor && sealCursor(ctx, list, [nextCursor]) };
}

const macOf = (key: Buffer, list: ListName, text: string): Buffer =>
  createHmac('sha256', key)
    .update(JSON.stringify([list.map((part) => part ?? null), text]))
    .digest()
    .subarray(0, MAC_BYTES);

const foreignCursor = (field: string) =>
  new Problem('invalid_request', {
    members: {
      errors: [
        {
          pointer: `/${field}`,
          code: 'invalid',
          message: 'This is no cursor of this list, with these filters and in this order',
        },
      ],
    },
  });
