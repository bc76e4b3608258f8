import { Op, type Model, type ModelStatic, type WhereOptions } from 'sequelize';
import { z, type ZodType } from 'zod';

/** An id (UUID). Upper and lower case are the same; ours are lower case. */
export const Id = z.uuid().toLowerCase();

/** The query of every list. */
export const Page = z.strictObject({
  limit: z
    .string()
    .regex(/^\d{1,3}$/, 'A whole number')
    .transform(Number)
    .pipe(z.int().min(1).max(100))
    .default(20)
    .meta({
      override: ({ jsonSchema }: { jsonSchema: object }) => {
        Object.assign(jsonSchema, { type: 'integer', minimum: 1, maximum: 100, default: 20 });
        delete (jsonSchema as { pattern?: string }).pattern; // that of the string
      },
    }),
  cursor: Id.optional().meta({ description: '`nextCursor` of the page before.' }),
});

export type Page = z.output<typeof Page>;

/**
 * One page of the rows that match `where`, newest first, and the cursor of the next page. `include`: associations of which a
 * row has one at most.
 */
export async function newestFirst<M extends Model & { id: string }>(
  table: ModelStatic<M>,
  where: object,
  { limit, cursor }: Page,
  include: string[] = [],
) {
  const before = { ...where, ...(cursor && { id: { [Op.lt]: cursor } }) } as WhereOptions;
  const found = await table.findAll({
    where: before,
    order: [['id', 'DESC']],
    limit: limit + 1,
    include,
  });
  return pageOf(found, limit);
}

/** One page of rows that were read with `limit + 1`: the last one only says that there are more. */
export const pageOf = <T extends { id: string }>(found: readonly T[], limit: number) => {
  const data = found.slice(0, limit);
  return { data, nextCursor: found.length > limit ? data.at(-1)!.id : null };
};

/**
 * The answer of every list. Its component in OpenAPI is named after the item: `ListedSession` gives `ListedSessionPage`.
 * Call it once for each kind of item.
 */
export const Listing = <T extends ZodType>(item: T) => {
  const id = item.meta()?.id;
  const page = z.object({
    data: z.array(item),
    nextCursor: z.string().nullable().meta({
      description: 'Send it as `cursor` to get the next page. Null on the last page.',
    }),
  });
  return id === undefined ? page : page.meta({ id: `${id}Page` });
};
