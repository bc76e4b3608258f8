import { Op, type Model, type ModelStatic, type WhereOptions } from 'sequelize';

const PAGE_SIZE = 500;

/**
 * The rows that match, along a unique column of text, a page at a time. `include`: associations of which a row has one at
 * most.
 */
export async function* pagesOf<M extends Model>(
  table: ModelStatic<M>,
  key: string & keyof M,
  where: object,
  shown: (row: M) => object,
  include: string[] = [],
): AsyncGenerator<object[]> {
  for (let last = ''; ;) {
    const after = { ...where, [key]: { [Op.gt]: last } } as WhereOptions;
    const page = { where: after, order: [[key, 'ASC']] as [string, string][], limit: PAGE_SIZE };
    const rows = await table.findAll({ ...page, include });
    yield rows.map(shown);
    if (rows.length < PAGE_SIZE) return;
    last = String(rows.at(-1)![key]);
  }
}
