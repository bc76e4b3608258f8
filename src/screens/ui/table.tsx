import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Pages } from '#screens/ui/hooks';
import { Alert, Button } from '#screens/ui/controls';
import { t } from '#screens/ui/text';

export interface Column<T> {
  title: string;
  cell: (row: T) => ComponentChildren;
}

/**
 * A list that the server pages. On a phone each row is a block with the titles beside its cells. Who asks for more goes on
 * at the first new row.
 */
export function Table<T extends { id: string }>({
  caption,
  columns,
  pages,
  empty,
}: {
  caption: string;
  columns: readonly Column<T>[];
  pages: Pages<T>;
  empty: ComponentChildren;
}) {
  const { rows, problem, isLoading, more } = pages;
  const body = useRef<HTMLTableSectionElement>(null);
  const known = useRef<number | undefined>(undefined); // rows that were there when more were asked for
  useEffect(() => {
    if (known.current === undefined || isLoading) return;
    body.current?.rows[known.current]?.focus();
    known.current = undefined;
  }, [isLoading]);
  if (problem) return <Alert problem={problem} />;
  if (rows.length === 0 && !more)
    return isLoading ? <p class="note">{t('ui.loading')}</p> : <>{empty}</>;
  return (
    <>
      <div class="wide-table" role="region" aria-label={caption} tabIndex={0}>
        <table>
          <caption class="hidden">{caption}</caption>
          <thead>
            <tr>
              {columns.map(({ title }) => (
                <th scope="col" key={title}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody ref={body}>
            {rows.map((row) => (
              <tr key={row.id} tabIndex={-1}>
                {columns.map(({ title, cell }) => (
                  <td data-title={title} key={title}>
                    {cell(row)}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {more && (
        <Button busy={isLoading} onClick={() => ((known.current = rows.length), more())}>
          {t('ui.more')}
        </Button>
      )}
    </>
  );
}
