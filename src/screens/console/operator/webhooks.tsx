import { useState } from 'preact/hooks';
import type { CreatedWebhook, Webhook } from '#src/client/index';
import { ask, useAccess } from '#screens/console/access';
import { Badge, Badges } from '#screens/console/badges';
import { Ago, None, Secret } from '#screens/console/operator/parts';
import { WebhookFields } from '#screens/console/operator/webhook-fields';
import { typesIn } from '#screens/console/operator/webhook-types';
import { Action } from '#screens/ui/action';
import { Card } from '#screens/ui/controls';
import { usePages } from '#screens/ui/hooks';
import { pathTo, Title } from '#screens/ui/screen';
import { Table, type Column } from '#screens/ui/table';
import { t } from '#screens/ui/text';

/** Whether it is told anything, and whether it answers. */
export function WebhookState({ webhook }: { webhook: Webhook }) {
  if (!webhook.enabled)
    return (
      <Badge kind="bad">
        {t(webhook.disabledWhy === 'gone' ? 'console.webhooks.gone' : 'console.webhooks.disabled')}
      </Badge>
    );
  return webhook.failures > 0 ? (
    <Badge kind="bad">{t('console.webhooks.failing', { failures: webhook.failures })}</Badge>
  ) : (
    <Badge kind="good">{t('console.webhooks.enabled')}</Badge>
  );
}

const COLUMNS: readonly Column<Webhook>[] = [
  {
    title: t('console.webhooks.url'),
    cell: ({ id, url, description }) => (
      <div class="two-lines">
        <a href={pathTo('console', `webhooks/${id}`)}>{url}</a>
        {description && <span class="note">{description}</span>}
      </div>
    ),
  },
  {
    title: t('console.webhooks.types'),
    cell: ({ types }) => (
      <Badges>
        {types.map((type) => (
          <Badge key={type}>{type}</Badge>
        ))}
      </Badges>
    ),
  },
  { title: t('console.webhooks.state'), cell: (row) => <WebhookState webhook={row} /> },
  { title: t('console.webhooks.createdAt'), cell: (row) => <Ago time={row.createdAt} /> },
];

/** Where events are sent. */
export function Webhooks() {
  const { may } = useAccess();
  const [made, setMade] = useState<CreatedWebhook>();
  const [version, setVersion] = useState(0);
  const pages = usePages(
    (cursor) => ask('GET', '/admin/webhooks', null, { query: { cursor } }),
    [version],
  );
  return (
    <>
      <Title>{t('console.webhooks.title')}</Title>
      {may('webhooks:write') && (
        <div class="actions">
          <Action
            kind="primary"
            label={t('console.webhooks.create')}
            done={() => setVersion((now) => now + 1)}
            send={async (fields) => {
              const { url, description } = fields as { url: string; description: string };
              const body = { url, description, types: typesIn(fields) };
              const answer = await ask('POST', '/admin/webhooks', body);
              if (answer.ok) setMade(answer.body);
              return answer;
            }}
          >
            {(errors) => <WebhookFields errors={errors} />}
          </Action>
        </div>
      )}
      <Card note={t('console.webhooks.note')}>
        <Table
          caption={t('console.webhooks.title')}
          pages={pages}
          columns={COLUMNS}
          empty={<None of="webhooks" />}
        />
      </Card>
      {made && (
        <Secret
          title={t('console.webhooks.secret')}
          secret={made.secret}
          onClose={() => setMade(undefined)}
        >
          <p>{t('console.webhooks.secretWhat')}</p>
        </Secret>
      )}
    </>
  );
}
