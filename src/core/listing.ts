import { Op, type Model, type ModelStatic, type WhereOptions } from 'sequelize';
import { z, type ZodType } from 'zod';

/** An id as we write it, in whichever case it comes. */
export const Id = z.uuid().toLowerCase();

/** How every list is asked for. */
export const Page = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'A whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(100))
    .default(20)
    .meta({ override: { type: 'integer', minimum: 1, maximum: 100, default: 20 } }),
  cursor: Id.optional().meta({ description: '`nextCursor` of the page before.' }),
});

export type Page = z.output<typeof Page>;

/** One page of these rows of a table, newest first, and where the next one starts. */
export async function newestFirst<M extends Model & { id: string }>(table: ModelStatic<M>, these: object, { limit, cursor }: Page) {
  const where = { ...these, ...(cursor && { id: { [Op.lt]: cursor } }) } as WhereOptions;
  return pageOf(await table.findAll({ where, order: [['id', 'DESC']], limit: limit + 1 }), limit);
}

/** The same of what was found with one more than `limit`. */
export const pageOf = <T extends { id: string }>(found: readonly T[], limit: number) => {
  const data = found.slice(0, limit);
  return { data, nextCursor: found.length > limit ? data.at(-1)!.id : null };
};

/** How every list is answered. */
export const Listing = <T extends ZodType>(item: T) =>
  z.object({
    data: z.array(item),
    nextCursor: z.string().nullable().meta({ description: 'Ask again with it as `cursor`; null on the last page.' }),
  });
