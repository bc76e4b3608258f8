import { useState } from 'preact/hooks';
import { useLocation, useRoute } from 'preact-iso';
import type { Webhook } from '#src/client/index';
import { ask, useAccess } from '#screens/console/access';
import { Deliveries } from '#screens/console/operator/deliveries';
import { Ago, Secret } from '#screens/console/operator/parts';
import { WebhookFields } from '#screens/console/operator/webhook-fields';
import { typesIn } from '#screens/console/operator/webhook-types';
import { WebhookState } from '#screens/console/operator/webhooks';
import { Action, Destroy } from '#screens/ui/action';
import { Alert, Card } from '#screens/ui/controls';
import { useLoad } from '#screens/ui/hooks';
import { pathTo, Title } from '#screens/ui/screen';
import { t } from '#screens/ui/text';

/** With its ETag: whoever changes what somebody else has changed meanwhile is told. */
async function read(id: string) {
  const answer = await ask('GET', '/admin/webhooks/{id}', null, { params: { id } });
  return answer.ok
    ? { ...answer, body: { webhook: answer.body, etag: answer.headers.get('etag') } }
    : answer;
}

/** One webhook, and what it was told. */
export function WebhookPage() {
  const { id } = useRoute().params as { id: string };
  const { may } = useAccess();
  const { body, problem, reload } = useLoad(() => read(id), [id]);
  const [tests, setTests] = useState(0);
  if (!body) return problem ? <Alert problem={problem} /> : <p class="note">{t('ui.loading')}</p>;
  const { webhook, etag } = body;
  return (
    <>
      <Title>{webhook.url}</Title>
      <Alert problem={problem} />
      <About webhook={webhook} />
      {may('webhooks:write') && (
        <Card title={t('console.webhooks.change')}>
          <div class="actions">
            <Edit webhook={webhook} etag={etag} changed={() => void reload()} />
            {webhook.enabled && (
              <Action
                label={t('console.webhooks.test')}
                said={t('console.webhooks.tested')}
                done={() => setTests((now) => now + 1)}
                send={() => ask('POST', '/admin/webhooks/{id}/test', null, { params: { id } })}
              >
                <p>{t('console.webhooks.testWhat')}</p>
              </Action>
            )}
            <Switch webhook={webhook} changed={() => void reload()} />
            <NewSecret id={id} changed={() => void reload()} />
            <Delete webhook={webhook} />
          </div>
        </Card>
      )}
      <Deliveries id={id} version={tests} enabled={webhook.enabled} />
    </>
  );
}

const About = ({ webhook }: { webhook: Webhook }) => (
  <Card>
    <dl>
      <dt>{t('console.webhooks.state')}</dt>
      <dd>
        <WebhookState webhook={webhook} />
      </dd>
      <dt>{t('console.webhooks.types')}</dt>
      <dd>{webhook.types.join(', ')}</dd>
      <dt>{t('console.webhooks.description')}</dt>
      <dd>{webhook.description || '–'}</dd>
      {webhook.retryAt && (
        <>
          <dt>{t('console.webhooks.retryAt')}</dt>
          <dd>
            <Ago time={webhook.retryAt} />
          </dd>
        </>
      )}
      {webhook.previousSecretExpiresAt && (
        <>
          <dt>{t('console.webhooks.previousSecret')}</dt>
          <dd>
            <Ago time={webhook.previousSecretExpiresAt} />
          </dd>
        </>
      )}
      <dt>{t('console.webhooks.createdAt')}</dt>
      <dd>
        <Ago time={webhook.createdAt} />
      </dd>
    </dl>
  </Card>
);

interface Changing {
  changed: () => void;
}

const Edit = ({ webhook, etag, changed }: Changing & { webhook: Webhook; etag: string | null }) => (
  <Action
    label={t('console.edit')}
    done={changed}
    send={(fields) => {
      const { url, description } = fields as { url: string; description: string };
      return ask(
        'PATCH',
        '/admin/webhooks/{id}',
        { url, description, types: typesIn(fields) },
        { params: { id: webhook.id }, ...(etag && { headers: { 'If-Match': etag } }) },
      );
    }}
  >
    {(errors) => <WebhookFields webhook={webhook} errors={errors} />}
  </Action>
);

const Switch = ({ webhook: { id, enabled }, changed }: Changing & { webhook: Webhook }) => (
  <Action
    label={t(enabled ? 'console.webhooks.disable' : 'console.webhooks.enable')}
    done={changed}
    send={() => ask('PATCH', '/admin/webhooks/{id}', { enabled: !enabled }, { params: { id } })}
  >
    <p>{t(enabled ? 'console.webhooks.disableWhat' : 'console.webhooks.enableWhat')}</p>
  </Action>
);

function NewSecret({ id, changed }: Changing & { id: string }) {
  const [secret, setSecret] = useState<string>();
  return (
    <>
      <Action
        label={t('console.secret.new')}
        done={changed}
        send={async (fields) => {
          const body = { keepPrevious: 'keep' in fields };
          const params = { id };
          const answer = await ask('POST', '/admin/webhooks/{id}/secret', body, { params });
          if (answer.ok) setSecret(answer.body.secret);
          return answer;
        }}
      >
        <p>{t('console.webhooks.rotateWhat')}</p>
        <label class="check">
          <input type="checkbox" name="keep" defaultChecked />
          <span>{t('console.secret.keep')}</span>
        </label>
      </Action>
      {secret && (
        <Secret
          title={t('console.webhooks.secret')}
          secret={secret}
          onClose={() => setSecret(undefined)}
        >
          <p>{t('console.webhooks.secretWhat')}</p>
        </Secret>
      )}
    </>
  );
}

function Delete({ webhook: { id, url } }: { webhook: Webhook }) {
  const { route } = useLocation();
  return (
    <Destroy
      label={t('console.delete')}
      name={new URL(url).host}
      done={() => route(pathTo('console', 'webhooks'))}
      send={() => ask('DELETE', '/admin/webhooks/{id}', null, { params: { id } })}
    >
      <p>{t('console.webhooks.deleteWhat')}</p>
    </Destroy>
  );
}
