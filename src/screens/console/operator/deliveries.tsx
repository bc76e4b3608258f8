import { useState } from 'preact/hooks';
import type { WebhookDelivery } from '#src/client/index';
import { ask, useAccess } from '#screens/console/access';
import { Badge } from '#screens/console/badges';
import { Ago } from '#screens/console/operator/parts';
import { Action } from '#screens/ui/action';
import { Button, Card, Empty } from '#screens/ui/controls';
import { usePages } from '#screens/ui/hooks';
import { Select } from '#screens/ui/select';
import { Table, type Column } from '#screens/ui/table';
import { number, t } from '#screens/ui/text';

const STATES = {
  pending: 'console.deliveries.pending',
  delivered: 'console.deliveries.delivered',
  failed: 'console.deliveries.failed',
} as const;
type State = keyof typeof STATES;
const KINDS = { pending: '', delivered: 'good', failed: 'bad' } as const;

const COLUMNS: readonly Column<WebhookDelivery>[] = [
  {
    title: t('console.deliveries.type'),
    cell: ({ type, eventId }) => (
      <div class="two-lines">
        <span>{type}</span>
        <span class="note">{eventId}</span>
      </div>
    ),
  },
  {
    title: t('console.deliveries.state'),
    cell: ({ state }) => <Badge kind={KINDS[state]}>{t(STATES[state])}</Badge>,
  },
  {
    title: t('console.deliveries.answer'),
    cell: ({ lastStatus, lastError }) =>
      [lastStatus, lastError].filter((each) => each !== null).join(' · ') || '–',
  },
  { title: t('console.deliveries.attempts'), cell: ({ attempts }) => number(attempts) },
  {
    title: t('console.deliveries.last'),
    cell: ({ lastAttemptAt }) => <Ago time={lastAttemptAt} />,
  },
  {
    title: t('console.deliveries.next'),
    cell: ({ nextAttemptAt, state }) => <Ago time={state === 'pending' ? nextAttemptAt : null} />,
  },
];

/** What a webhook was told, what it answered, and what it is to be told. */
export function Deliveries({
  id,
  version,
  enabled,
}: {
  id: string;
  version: number;
  enabled: boolean;
}) {
  const { may } = useAccess();
  const [state, setState] = useState<State | ''>('');
  const pages = usePages(
    (cursor) =>
      ask('GET', '/admin/webhooks/{id}/deliveries', null, {
        params: { id },
        query: { cursor, ...(state && { state }) },
      }),
    [id, version, state],
  );
  const actions: Column<WebhookDelivery> = {
    title: t('console.actions'),
    cell: ({ id: deliveryId, state: reached, type }) =>
      reached === 'pending' ? null : (
        <Action
          label={t('console.deliveries.again')}
          done={pages.reload}
          send={() =>
            ask('POST', '/admin/webhooks/{id}/deliveries/{deliveryId}/redeliver', null, {
              params: { id, deliveryId },
            })
          }
        >
          <p>{t('console.deliveries.againWhat', { type })}</p>
        </Action>
      ),
  };
  return (
    <Card title={t('console.deliveries.title')}>
      <div class="narrowed">
        <Select
          label={t('console.deliveries.state')}
          value={state}
          choose={(value) => setState(value as State | '')}
          options={[
            ['', t('console.deliveries.any')],
            ...Object.entries(STATES).map(([each, name]) => [each, t(name)] as const),
          ]}
        />
        <Button onClick={pages.reload} busy={pages.isLoading}>
          {t('console.reload')}
        </Button>
      </div>
      <Table
        caption={t('console.deliveries.title')}
        pages={pages}
        columns={may('webhooks:write') && enabled ? [...COLUMNS, actions] : COLUMNS}
        empty={<Empty title={t('console.deliveries.none')} />}
      />
    </Card>
  );
}
