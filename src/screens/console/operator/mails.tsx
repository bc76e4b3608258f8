import { useState } from 'preact/hooks';
import type { QueuedMail } from '#src/client/index';
import { ask, useAccess } from '#screens/console/access';
import { Ago, None } from '#screens/console/operator/parts';
import { Action } from '#screens/ui/action';
import { Card } from '#screens/ui/controls';
import { usePages } from '#screens/ui/hooks';
import { Title } from '#screens/ui/screen';
import { Table, type Column } from '#screens/ui/table';
import { number, t } from '#screens/ui/text';

const COLUMNS: readonly Column<QueuedMail>[] = [
  { title: t('console.mails.template'), cell: ({ template }) => template },
  { title: t('console.mails.domain'), cell: ({ domain }) => domain ?? '–' },
  { title: t('console.mails.attempts'), cell: ({ attempts }) => number(attempts) },
  { title: t('console.mails.age'), cell: ({ createdAt }) => <Ago time={createdAt} /> },
  { title: t('console.mails.next'), cell: ({ nextAttemptAt }) => <Ago time={nextAttemptAt} /> },
  { title: t('console.mails.until'), cell: ({ expiresAt }) => <Ago time={expiresAt} /> },
];

/** Mails that wait. Neither what they say nor to whom: the server does not tell. */
export function Mails() {
  const { may } = useAccess();
  const [version, setVersion] = useState(0);
  const changed = () => setVersion((now) => now + 1);
  const pages = usePages(
    (cursor) => ask('GET', '/admin/mails', null, { query: { cursor } }),
    [version],
  );
  const actions: Column<QueuedMail> = {
    title: t('console.actions'),
    cell: ({ id, template }) => (
      <div class="actions">
        {may('mails:retry') && (
          <Action
            label={t('console.mails.retry')}
            done={changed}
            send={() => ask('POST', '/admin/mails/{id}/retry', null, { params: { id } })}
          >
            <p>{t('console.mails.retryWhat')}</p>
          </Action>
        )}
        {may('mails:drop') && (
          <Action
            kind="danger"
            label={t('console.mails.drop')}
            done={changed}
            send={() => ask('DELETE', '/admin/mails/{id}', null, { params: { id } })}
          >
            <p>{t('console.mails.dropWhat', { template })}</p>
          </Action>
        )}
      </div>
    ),
  };
  const acts = may('mails:retry') || may('mails:drop');
  return (
    <>
      <Title>{t('console.mails.title')}</Title>
      <Card note={t('console.mails.note')}>
        <Table
          caption={t('console.mails.title')}
          pages={pages}
          columns={acts ? [...COLUMNS, actions] : COLUMNS}
          empty={<None of="mails" />}
        />
      </Card>
    </>
  );
}
